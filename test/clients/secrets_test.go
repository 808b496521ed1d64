package clients

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secrets are a registry's whole log and what must not be in it.
type secrets struct {
	mu     sync.Mutex
	log    bytes.Buffer
	hidden map[string]bool
}

// Write implements io.Writer, for the log.
func (s *secrets) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *secrets) hide(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden == nil {
		s.hidden = map[string]bool{}
	}
	s.hidden[secret] = true
}

// hideRequest hides what a client sent to say who it is: a token, or a name and password in base64.
func (s *secrets) hideRequest(r *http.Request) {
	for _, header := range r.Header.Values("Authorization") {
		if _, secret, ok := strings.Cut(header, " "); ok && len(secret) > 8 {
			s.hide(secret)
		}
	}
	if _, password, ok := r.BasicAuth(); ok && len(password) > 8 {
		s.hide(password)
	}
}

func (s *secrets) assertUnlogged(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Contains(t, s.log.String(), "/v2/", "the registry logs what it is asked")
	assert.Greater(t, len(s.hidden), 1, "nobody logged in")
	for secret := range s.hidden {
		assert.NotContains(t, s.log.String(), secret)
	}
}

// TestTokensAndPasswordsStayOutOfTheLogWhateverFails goes through logins, a push and a pull, then through every outage
// there is, with debug logging; that nothing of it is in the log is asserted when the site ends.
func TestTokensAndPasswordsStayOutOfTheLogWhateverFails(t *testing.T) {
	s := boxes(t)
	dir, _, _ := s.layout()
	id, secret := s.applicationCredential()
	from, to := "oci:"+dir+":"+multi, "docker://"+s.name("secret:1")
	refused := func(args ...string) {
		t.Helper()
		_, err := s.try(append([]string{"skopeo", "--insecure-policy"}, args...)...)
		require.Error(t, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		for hidden := range s.hidden {
			if !strings.Contains(strings.Join(args, " "), hidden) {
				require.NotContains(t, err.Error(), hidden, "the answer repeats what was sent")
			}
		}
	}
	push := func() { t.Helper(); refused("copy", "--dest-tls-verify=false", from, to) }

	refused("login", "--tls-verify=false", "-u", "alt/alt", "-p", "a-wrong-pa55word", s.registry)
	refused("login", "--tls-verify=false", "-u", id, "-p", "a-wrong-s3cret", s.registry)
	s.skopeo("login", "-u", id, "-p", secret, s.registry)
	s.skopeo("login", "-u", "alt/alt", "-p", s.password, s.registry)
	for _, token := range []string{"a-token-of-nobody", strings.Repeat("a-long-token", 1000)} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.registry+"/v2/alt/secret/tags/list?token="+token, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	}

	s.glance.FailAfter(10)
	push()
	s.glance.SetDown(true)
	push()
	s.glance.SetDown(false)
	s.keystone.SetDown(true)
	push()
	refused("login", "--tls-verify=false", "-u", "alt/alt", "-p", s.password, s.registry)
	s.keystone.SetDown(false)
	s.skopeo("copy", from, to)
	s.skopeo("copy", to, "oci:"+s.dir+"/pulled:x")
	s.glance.SetDown(true)
	refused("copy", "--src-tls-verify=false", to, "oci:"+s.dir+"/again:x")
	s.glance.SetDown(false)
}
