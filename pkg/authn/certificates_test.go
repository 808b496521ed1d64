package authn_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
)

// authority signs certificates for a test.
func authority(t *testing.T) *authntest.Authority {
	t.Helper()
	a, err := authntest.NewAuthority(t.TempDir())
	require.NoError(t, err)
	return a
}

func certificates(t *testing.T, a *authntest.Authority, name, role string, addresses ...string) *authn.Certificates {
	t.Helper()
	files, err := a.Issue(name, role, addresses...)
	require.NoError(t, err)
	c, err := authn.LoadCertificates(files)
	require.NoError(t, err)
	return c
}

// guardedByCertificate is a server that answers the name of its caller, behind a Peer.
func guardedByCertificate(t *testing.T, c *authn.Certificates, role string) string {
	t.Helper()
	peer, err := c.Peer(role)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(peer.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := authn.PeerName(r.Context())
		assert.True(t, ok)
		_, _ = io.WriteString(w, name)
	})))
	s.Listener = tls.NewListener(s.Listener, c.Server()) // httptest's own TLS would bring its own certificate
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return "https" + strings.TrimPrefix(s.URL, "http")
}

// ask calls a server as c, which takes it for a role.
func ask(t *testing.T, c *authn.Certificates, role, url string) (status int, body string, err error) {
	t.Helper()
	peer, err := c.Peer(role)
	require.NoError(t, err)
	client := &http.Client{Transport: peer.Transport(nil)}
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b), nil
}

func TestRegionAndHostsKnowEachOtherByCertificates(t *testing.T) {
	a := authority(t)
	region := certificates(t, a, "region", authn.RoleRegion, "127.0.0.1")
	host := certificates(t, a, "host-1", authn.RoleHost, "127.0.0.1")
	url := guardedByCertificate(t, region, authn.RoleHost)

	status, name, err := ask(t, host, authn.RoleRegion, url)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "host-1", name)

	status, body, err := ask(t, region, authn.RoleRegion, url)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status, "a region is no host")
	assert.Contains(t, body, `the certificate of \"region\" is not one of moset:host`)

	bare := &http.Client{Transport: &http.Transport{TLSClientConfig: host.Roots()}}
	defer bare.CloseIdleConnections()
	resp, err := bare.Get(url)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "whoever shows no certificate is nobody")
}

func TestStrangersCertificatesCountForNothing(t *testing.T) {
	a, other := authority(t), authority(t)
	url := guardedByCertificate(t, certificates(t, a, "region", authn.RoleRegion, "127.0.0.1"), authn.RoleHost)
	strangers := certificates(t, other, "host-1", authn.RoleHost, "127.0.0.1")
	_, _, err := ask(t, strangers, authn.RoleRegion, url)
	require.Error(t, err, "it does not trust the region")

	host := certificates(t, a, "host-1", authn.RoleHost, "127.0.0.1")
	_, _, err = ask(t, host, authn.RoleRegion, guardedByCertificate(t, certificates(t, a, "host-2", authn.RoleHost, "127.0.0.1"), authn.RoleHost))
	require.ErrorContains(t, err, "is not one of moset:region", "a host that poses as the region")
	_, _, err = ask(t, host, authn.RoleRegion, guardedByCertificate(t, certificates(t, a, "elsewhere", authn.RoleRegion, "10.0.0.1"), authn.RoleHost))
	require.Error(t, err, "the certificate is for another address")
	_, _, err = ask(t, host, authn.RoleRegion, "http://127.0.0.1:1/")
	require.ErrorContains(t, err, "is not https")
}

func TestARenewedCertificateCountsWithoutARestart(t *testing.T) {
	a := authority(t)
	url := guardedByCertificate(t, certificates(t, a, "region", authn.RoleRegion, "127.0.0.1"), authn.RoleHost)
	files, err := a.Issue("host-1", authn.RoleHost)
	require.NoError(t, err)
	host, err := authn.LoadCertificates(files)
	require.NoError(t, err)
	renewed, err := a.Issue("host-one", authn.RoleHost)
	require.NoError(t, err)
	require.NoError(t, os.Rename(renewed.Cert, files.Cert))
	require.NoError(t, os.Rename(renewed.Key, files.Key))
	later := time.Now().Add(time.Minute)
	require.NoError(t, os.Chtimes(files.Cert, later, later))
	_, name, err := ask(t, host, authn.RoleRegion, url)
	require.NoError(t, err)
	assert.Equal(t, "host-one", name)

	require.NoError(t, os.Remove(files.Key))
	_, name, err = ask(t, host, authn.RoleRegion, url)
	require.NoError(t, err, "a file that is being replaced does not cut the host off")
	assert.Equal(t, "host-one", name)
}

func TestCertificateFilesThatAreNoneAreNamed(t *testing.T) {
	a := authority(t)
	good, err := a.Issue("host-1", authn.RoleHost)
	require.NoError(t, err)
	junk := filepath.Join(t.TempDir(), "junk.pem")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for name, change := range map[string]func(*authn.CertificateFiles){
		"no such file": func(f *authn.CertificateFiles) { f.Cert = "/nonexistent.pem" },
		"junk.pem":     func(f *authn.CertificateFiles) { f.Key = junk },
		"holds no PEM": func(f *authn.CertificateFiles) { f.CA = junk },
	} {
		files := good
		change(&files)
		_, err := authn.LoadCertificates(files)
		require.ErrorContains(t, err, name)
	}
	good.CA = ""
	c, err := authn.LoadCertificates(good)
	require.NoError(t, err)
	_, err = c.Peer(authn.RoleHost)
	require.ErrorContains(t, err, "authority")
}
