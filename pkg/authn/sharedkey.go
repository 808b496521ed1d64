package authn

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
)

var _ Peer = SharedKey{}

// SharedKey is the credential of region and hosts towards each other: a pre-shared key, for loopback and
// networks that nobody else can read. Keystone need not be up for it.
type SharedKey struct {
	sum [32]byte
	key string
}

const keyHeader = "X-Moset-Key"

// NewSharedKey takes a key of at least 16 bytes.
func NewSharedKey(key string) (SharedKey, error) {
	if len(key) < 16 {
		return SharedKey{}, errors.New("the key of region and hosts must have at least 16 characters: choose a longer one")
	}
	return SharedKey{sum: sha256.Sum256([]byte(key)), key: key}, nil
}

// String hides the key.
func (SharedKey) String() string { return "[key]" }

// Middleware lets only requests that carry the key through.
func (k SharedKey) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(r.Header.Get(keyHeader)))
		if subtle.ConstantTimeCompare(given[:], k.sum[:]) != 1 || k.key == "" {
			writeError(w, http.StatusUnauthorized, "unauthenticated", fmt.Errorf("the key of region and hosts is missing or wrong: give both the same"))
			return
		}
		r.Header.Del(keyHeader)
		next.ServeHTTP(w, r)
	})
}

// Transport puts the key on every request; nil base means http.DefaultTransport.
func (k SharedKey) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set(keyHeader, k.key)
		return base.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
