package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/moset/moset/bench/side"
)

// spyOn puts a proxy before a Glance that tells of every request; it costs time, so figures with it are no figures.
func (b *bench) spyOn(ctx context.Context, glance string) (string, error) {
	to, err := url.Parse(glance)
	if err != nil {
		return "", err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: transport, FlushInterval: -1}
	first := time.Now()
	r, err := side.Serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		proxy.ServeHTTP(w, r)
		b.note("at %9.1f ms %6.1f ms %-6s %.110s", float64(begun.Sub(first).Microseconds())/1000, float64(time.Since(begun).Microseconds())/1000, r.Method, r.URL.RequestURI())
	}))
	if err != nil {
		return "", err
	}
	b.onClose(r.Close)
	return "http://" + r.Host, nil
}
