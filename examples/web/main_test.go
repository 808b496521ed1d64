package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T) (handler http.Handler, logFile string) {
	t.Helper()
	root, logDir := t.TempDir(), t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "assets"), os.DirFS("assets")))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/greeting.conf"), []byte("Hello\n"), 0o644))
	t.Setenv("NAME", "shop")
	handler, err := newHandler(root, logDir)
	require.NoError(t, err)
	return handler, filepath.Join(logDir, "access.log")
}

func get(handler http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPageNamesTheAppAndTheHost(t *testing.T) {
	handler, _ := serve(t)
	host, err := os.Hostname()
	require.NoError(t, err)
	body := get(handler, "/").Body.String()
	assert.Contains(t, body, "Hello from shop")
	assert.Contains(t, body, host)
}

func TestBytesServesAsManyAsAsked(t *testing.T) {
	handler, _ := serve(t)
	for path, want := range map[string]struct{ status, size int }{
		"/bytes?n=0":         {http.StatusOK, 0},
		"/bytes?n=70000":     {http.StatusOK, 70000},
		"/bytes?n=-1":        {http.StatusBadRequest, 0},
		"/bytes?n=104857601": {http.StatusBadRequest, 0},
		"/bytes":             {http.StatusBadRequest, 0},
	} {
		w := get(handler, path)
		assert.Equal(t, want.status, w.Code, path)
		if want.status == http.StatusOK {
			assert.Equal(t, want.size, w.Body.Len(), path)
		}
	}
}

func TestEveryRequestIsALineOfTheAccessLog(t *testing.T) {
	handler, logFile := serve(t)
	get(handler, "/")
	get(handler, "/missing")
	lines, err := os.ReadFile(logFile)
	require.NoError(t, err)
	assert.Equal(t, "GET / 192.0.2.1:1234\nGET /missing 192.0.2.1:1234\n", string(lines))
}
