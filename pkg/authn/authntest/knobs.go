package authntest

import (
	"net/http/httptest"
	"time"
)

// SetDown makes every call answer 503, or not any more.
func (k *Keystone) SetDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

// SetLatency delays every answer.
func (k *Keystone) SetLatency(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latency = d
}

// Calls counts the requests so far.
func (k *Keystone) Calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// Revoke makes a token invalid.
func (k *Keystone) Revoke(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.state.Tokens, tokenHash(token))
}

// Expire makes a token expired.
func (k *Keystone) Expire(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t, ok := k.state.Tokens[tokenHash(token)]; ok {
		t.ExpiresAt = k.cfg.Clock().Add(-time.Second)
		k.state.Tokens[tokenHash(token)] = t
	}
}

// SetEndpoint puts a service into the catalog of tokens issued from now on.
func (k *Keystone) SetEndpoint(serviceType, url string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cfg.Endpoints == nil {
		k.cfg.Endpoints = map[string]string{}
	}
	k.cfg.Endpoints[serviceType] = url
}

// Start serves the box on loopback until the returned function is called, and lists itself in the catalog.
func (k *Keystone) Start() (url string, stop func()) {
	s := httptest.NewServer(k)
	k.SetEndpoint("identity", s.URL+"/v3")
	return s.URL + "/v3", s.Close
}
