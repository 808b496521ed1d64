// Command web is the smallest app worth putting into a set: it serves a page on port 80 and writes a line
// for each request to $LOG_DIR/access.log, where a sidecar can read it.
package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	if err := run(); err != nil {
		log.Fatalf("web: %v", err)
	}
}

func run() error {
	dir := env("LOG_DIR", "/var/log/app")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "access.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	page, err := template.ParseFiles(filepath.Join(env("ASSETS", "/assets"), "index.html"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", show(page))
	mux.HandleFunc("GET /bytes", bytes)
	return http.ListenAndServe(env("LISTEN", ":80"), logged(mux, log.New(f, "", 0)))
}

// show renders the page with the names a user would look for.
func show(page *template.Template) http.Handler {
	host, _ := os.Hostname() // the page does without
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = page.Execute(w, map[string]string{"Host": host, "Name": env("NAME", "web")}) // the reader has gone
	})
}

// bytes answers with as many as ?n= says, to measure bandwidth with.
func bytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil || n < 0 {
		http.Error(w, "n must be a number of bytes, as in /bytes?n=1000000", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(n))
	for block := make([]byte, 64<<10); n > 0; n -= len(block) {
		if _, err := w.Write(block[:min(n, len(block))]); err != nil {
			return
		}
	}
}

func logged(next http.Handler, l *log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.Print(fmt.Sprintf("%s %s %s %s", time.Now().UTC().Format(time.RFC3339), r.RemoteAddr, r.Method, r.URL))
		next.ServeHTTP(w, r)
	})
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
