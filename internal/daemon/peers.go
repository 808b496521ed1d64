package daemon

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/moset/moset/pkg/authn"
)

// TLSFlags are the flags of a daemon that can serve TLS.
type TLSFlags struct{ Files authn.CertificateFiles }

// Add declares the flags.
func (t *TLSFlags) Add() {
	flag.StringVar(&t.Files.Cert, "tls-cert", "", "PEM file of this daemon's certificate: serve TLS with it")
	flag.StringVar(&t.Files.Key, "tls-key", "", "PEM file of the certificate's private key")
}

// Server is what to serve with; nil is without TLS.
func (t *TLSFlags) Server() (*tls.Config, error) {
	c, err := t.load()
	if c == nil || err != nil {
		return nil, err
	}
	return c.Server(), nil
}

func (t *TLSFlags) load() (*authn.Certificates, error) {
	if (t.Files.Cert == "") != (t.Files.Key == "") {
		return nil, errors.New("-tls-cert and -tls-key go together: give both or none")
	}
	if t.Files.Cert == "" {
		if t.Files.CA != "" {
			return nil, errors.New("-tls-ca is of use with -tls-cert and -tls-key only: give them too")
		}
		return nil, nil
	}
	return authn.LoadCertificates(t.Files)
}

// PeerFlags are the flags by which region and hosts know each other: a key they share, or certificates of an
// authority that only they have.
type PeerFlags struct {
	TLSFlags
	keyFile string
}

// Add declares the flags.
func (p *PeerFlags) Add() {
	p.TLSFlags.Add()
	flag.StringVar(&p.Files.CA, "tls-ca", "", "PEM file of the authority of region and hosts: they know each other by certificates, not by the key")
	flag.StringVar(&p.keyFile, "key-file", "", "file with the key of region and hosts")
}

// Peer proves who this daemon is and takes others for role only (authn.RoleHost or authn.RoleRegion). roots
// is what its own calls trust; nil is what the machine trusts.
func (p *PeerFlags) Peer(role string) (peer authn.Peer, roots *tls.Config, err error) {
	c, err := p.load()
	if err != nil {
		return nil, nil, err
	}
	if c != nil && p.Files.CA != "" {
		peer, err = c.Peer(role)
		return peer, c.Roots(), err
	}
	if p.keyFile == "" {
		return nil, nil, errors.New("region and hosts must know each other: give -key-file, or -tls-cert, -tls-key and -tls-ca")
	}
	b, err := os.ReadFile(p.keyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("-key-file: %w", err)
	}
	key, err := authn.NewSharedKey(strings.TrimSpace(string(b)))
	return key, nil, err
}
