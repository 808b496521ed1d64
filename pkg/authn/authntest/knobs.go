package authntest

import (
	"maps"
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
	_ = k.save()
}

// SetRoles replaces what a user may do in a project; no roles bar the user, and tokens with it, until some
// are given again. Unknown users and projects are left alone.
func (k *Keystone) SetRoles(userName, projectName string, roles ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u, p := k.findUser("", userName), k.findProject("", projectName)
	if u == nil || p == nil {
		return
	}
	u.Roles[p.ID] = roles
	_ = k.save()
}

// SetDisabled bars a user, whose tokens end for good, or lets one in again. Unknown users are left alone.
func (k *Keystone) SetDisabled(userName string, disabled bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u := k.findUser("", userName)
	if u == nil {
		return
	}
	u.Disabled = disabled
	maps.DeleteFunc(k.state.Tokens, func(_ string, t tokenRecord) bool { return disabled && t.UserID == u.ID })
	_ = k.save()
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
