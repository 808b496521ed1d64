package main

import (
	"io"
	"net/http"
	"sync/atomic"
)

// meter counts the bytes of bodies that come to a registry and leave it, headers left out.
type meter struct{ in, out atomic.Int64 }

func (m *meter) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = meteredBody{r.Body, m}
		next.ServeHTTP(meteredWriter{w, m}, r)
	})
}

// reset returns what was counted and begins anew.
func (m *meter) reset() (in, out int64) { return m.in.Swap(0), m.out.Swap(0) }

type meteredBody struct {
	io.ReadCloser
	m *meter
}

// Read implements io.Reader.
func (b meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.m.in.Add(int64(n))
	return n, err
}

type meteredWriter struct {
	http.ResponseWriter
	m *meter
}

// Write implements io.Writer.
func (w meteredWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.m.out.Add(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that a registry that can hand a payload on at once still does.
func (w meteredWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	w.m.out.Add(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer below.
func (w meteredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
