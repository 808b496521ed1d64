// Command web is the app of the demo's set: a page that says who served it, as many bytes as asked for,
// and an access log in the volume it shares with its sidecar.
//
// LISTEN (default :80) is the address, LOG_DIR (default /var/log/app) the folder of access.log, NAME the
// name on the page, ROOT (default /) the folder that holds assets/ and etc/.
package main

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const maxBytes = 100 << 20

func main() {
	handler, err := newHandler(cmp.Or(os.Getenv("ROOT"), "/"), cmp.Or(os.Getenv("LOG_DIR"), "/var/log/app"))
	if err == nil {
		server := &http.Server{Addr: cmp.Or(os.Getenv("LISTEN"), ":80"), Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		err = server.ListenAndServe()
	}
	fmt.Fprintln(os.Stderr, "web:", err)
	os.Exit(1)
}

func newHandler(root, logDir string) (http.Handler, error) {
	page, err := template.ParseFiles(filepath.Join(root, "assets/index.html"))
	if err != nil {
		return nil, err
	}
	greeting, err := os.ReadFile(filepath.Join(root, "etc/greeting.conf"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(logDir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(logDir, "access.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	facts := map[string]string{"Name": cmp.Or(os.Getenv("NAME"), host), "Host": host, "Greeting": strings.TrimSpace(string(greeting))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _ = page.Execute(w, facts) })
	mux.HandleFunc("GET /bytes", serveBytes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(log, "%s %s %s\n", r.Method, r.URL.EscapedPath(), r.RemoteAddr)
		mux.ServeHTTP(w, r)
	}), nil
}

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func serveBytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.FormValue("n"), 10, 64)
	if err != nil || n < 0 || n > maxBytes {
		http.Error(w, fmt.Sprintf("n must be a number of bytes from 0 to %d", maxBytes), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	_, _ = io.CopyN(w, zeros{}, n)
}
