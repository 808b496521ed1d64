package authn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// The organizations (O) by which a certificate says what its holder is. The common name (CN) is the name of
// the host in the region.
const (
	RoleRegion = "moset:region"
	RoleHost   = "moset:host"
)

// CertificateFiles name PEM files. A renewed certificate counts from the next connection on.
type CertificateFiles struct {
	Cert string // own certificate, with the intermediate ones
	Key  string // its private key
	CA   string // authorities of region and hosts; the only ones that count between them
}

// Certificates are a daemon's own certificate and the authorities it trusts.
type Certificates struct {
	files CertificateFiles
	roots *x509.CertPool

	mu     sync.Mutex
	own    *tls.Certificate
	loaded [2]time.Time // modification times of what own was read from
}

// LoadCertificates reads the files. Errors name the file and what is wrong with it.
func LoadCertificates(files CertificateFiles) (*Certificates, error) {
	c := &Certificates{files: files}
	if _, err := c.current(); err != nil {
		return nil, err
	}
	if files.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(files.CA)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	c.roots = x509.NewCertPool()
	if !c.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authority: %s holds no PEM certificate", files.CA)
	}
	return c, nil
}

// current is the own certificate, read again when its files changed. One that cannot be read any more stays.
func (c *Certificates) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var now [2]time.Time
	for i, file := range []string{c.files.Cert, c.files.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return c.orErr(fmt.Errorf("certificate: %w", err))
		}
		now[i] = info.ModTime()
	}
	if c.own != nil && now == c.loaded {
		return c.own, nil
	}
	own, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return c.orErr(fmt.Errorf("certificate %s with key %s: %w", c.files.Cert, c.files.Key, err))
	}
	c.own, c.loaded = &own, now
	return c.own, nil
}

func (c *Certificates) orErr(err error) (*tls.Certificate, error) {
	if c.own != nil {
		return c.own, nil
	}
	return nil, err
}

// Server is for listeners: it shows the own certificate and checks those that clients show. Clients need
// none: Peer's Middleware asks for it where it matters.
func (c *Certificates) Server() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() }}
	if c.roots != nil {
		cfg.ClientCAs, cfg.ClientAuth = c.roots, tls.VerifyClientCertIfGiven
	}
	return cfg
}

// Roots is a client's configuration that trusts the authorities and shows no certificate.
func (c *Certificates) Roots() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots}
}

// Peer proves the own side by the own certificate, and takes the other side for what it must be: RoleRegion
// for a host, RoleHost for the region.
func (c *Certificates) Peer(role string) (Peer, error) {
	if c.roots == nil {
		return nil, errors.New("certificates between region and hosts need the authority that signed them: give its file")
	}
	return certificatePeer{c, role}, nil
}

type certificatePeer struct {
	c    *Certificates
	role string
}

// Middleware implements Peer.
func (p certificatePeer) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			writeError(w, http.StatusUnauthorized, "unauthenticated", errors.New("a certificate that the cloud's authority signed is missing"))
			return
		}
		leaf := r.TLS.VerifiedChains[0][0]
		if err := p.holds(leaf); err != nil {
			writeError(w, http.StatusForbidden, "forbidden", err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerName{}, leaf.Subject.CommonName)))
	})
}

func (p certificatePeer) holds(leaf *x509.Certificate) error {
	if !slices.Contains(leaf.Subject.Organization, p.role) {
		return fmt.Errorf("the certificate of %q is not one of %s: its organization must say so", leaf.Subject.CommonName, p.role)
	}
	return nil
}

// Transport implements Peer. base, if not nil, has to be an *http.Transport.
func (p certificatePeer) Transport(base http.RoundTripper) http.RoundTripper {
	t, ok := base.(*http.Transport)
	if !ok {
		t = http.DefaultTransport.(*http.Transport)
	}
	t = t.Clone()
	t.TLSClientConfig = p.c.Roots()
	t.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.c.current() }
	t.TLSClientConfig.VerifyConnection = func(s tls.ConnectionState) error { return p.holds(s.PeerCertificates[0]) }
	return httpsOnly{t}
}

// httpsOnly keeps a proof from being skipped: an http URL would be sent without any.
type httpsOnly struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t httpsOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, closing(r, fmt.Errorf("%s://%s is not https, which certificates need: correct the URL", r.URL.Scheme, r.URL.Host))
	}
	return t.Transport.RoundTrip(r)
}
