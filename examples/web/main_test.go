package main

import (
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func get(h http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}

func TestThePageNamesTheApp(t *testing.T) {
	t.Setenv("NAME", "shop")
	page, err := template.ParseFiles(filepath.Join("assets", "index.html"))
	require.NoError(t, err)
	assert.Contains(t, get(show(page), "/").Body.String(), "Hello from shop")
}

func TestBytesAnswersAsManyAsAsked(t *testing.T) {
	for query, want := range map[string]int{"n=0": 0, "n=1": 1, "n=65536": 65536, "n=200000": 200000} {
		assert.Equal(t, want, get(http.HandlerFunc(bytes), "/bytes?"+query).Body.Len(), query)
	}
	for _, query := range []string{"", "n=-1", "n=many"} {
		assert.Equal(t, http.StatusBadRequest, get(http.HandlerFunc(bytes), "/bytes?"+query).Code, query)
	}
}

func TestEachRequestIsLogged(t *testing.T) {
	var out strings.Builder
	h := logged(http.HandlerFunc(bytes), log.New(&out, "", 0))
	get(h, "/bytes?n=1")
	get(h, "/bytes?n=2")
	assert.Regexp(t, `^\S+Z \S+ GET /bytes\?n=1\n\S+Z \S+ GET /bytes\?n=2\n$`, out.String())
}
