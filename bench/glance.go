package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moset/moset/bench/side"
	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
)

// glanceVariable holds the endpoint of a real Glance; OS_* variables say who the caller of its cloud is.
const glanceVariable = "MOSET_TEST_GLANCE"

// realGlance serves moset's registry on the Glance of the environment; nothing when there is none.
func (l *lab) realGlance(ctx context.Context) (s source, found bool, err error) {
	endpoint := os.Getenv(glanceVariable)
	if endpoint == "" {
		l.note("%s is not set: no figure on a real Glance", glanceVariable)
		return s, false, nil
	}
	creds, err := keystone.FromEnv("")
	if err != nil {
		return s, false, fmt.Errorf("%s needs its cloud's Keystone: %w", glanceVariable, err)
	}
	session, err := keystone.Connect(ctx, creds)
	if err != nil {
		return s, false, err
	}
	host, err := l.serveRegistry(ctx, front.Config{AuthURL: creds.AuthURL, GlanceURL: endpoint,
		Verifier: authn.NewCached(keystone.NewVerifier(session, 0), authn.CacheConfig{})})
	project := session.Identity().ProjectName
	return source{name: "glance", what: "the registry on Glance", host: host + "/" + project, user: creds.UserName + "/" + project, password: creds.Password}, err == nil, err
}

// serveRegistry runs the registry daemon's handler in this process and returns its address.
func (l *lab) serveRegistry(ctx context.Context, cfg front.Config) (string, error) {
	cfg.Logger = l.logger
	r, err := side.Moset(ctx, cfg, nil)
	if err != nil {
		return "", err
	}
	l.onClose(r.Close)
	return r.Host, nil
}
