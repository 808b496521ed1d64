package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moset/moset/bench/side"
	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image/imagetest"
)

// Where the services of scripts/openstack are.
const (
	keystoneVariable = "MOSET_TEST_KEYSTONE"
	passwordVariable = "MOSET_TEST_KEYSTONE_PASSWORD"
)

// glances are the Glances that a registry can be put on, by the name in the figures.
var glances = []struct{ name, variable string }{
	{"sha512", "MOSET_TEST_GLANCE_SHA512"}, // Glance's default hashing
	{"sha256", "MOSET_TEST_GLANCE"},
	{"box", ""},
}

// connect logs user demo in and keeps the token, which engine and registry use as a host of moset does.
func (b *bench) connect(ctx context.Context) error {
	url, password := os.Getenv(keystoneVariable), os.Getenv(passwordVariable)
	if url == "" || password == "" {
		return fmt.Errorf("%s and %s are not set: run make bench-image, or eval \"$(scripts/openstack env)\" first", keystoneVariable, passwordVariable)
	}
	user := func(name, project string) (*keystone.Session, error) {
		return keystone.Connect(ctx, keystone.Credentials{AuthURL: url, UserName: name, Password: password, ProjectName: project})
	}
	demo, err := user("demo", "demo")
	if err != nil {
		return err
	}
	if b.token, err = demo.Token(ctx); err != nil {
		return err
	}
	service, err := user("moset", "service")
	if err != nil {
		return err
	}
	b.authURL = url
	b.verifier = authn.NewCached(keystone.NewVerifier(service, 0), authn.CacheConfig{})
	return nil
}

// registryOn serves moset's registry on a Glance.
func (b *bench) registryOn(ctx context.Context, name, variable string) (*contender, error) {
	url := os.Getenv(variable)
	if variable == "" {
		var err error
		if url, err = b.startBox(ctx); err != nil {
			return nil, err
		}
	}
	if url == "" {
		return nil, fmt.Errorf("%s is not set: run make bench-image, or eval \"$(scripts/openstack env)\" first", variable)
	}
	if b.spy {
		var err error
		if url, err = b.spyOn(ctx, url); err != nil {
			return nil, err
		}
	}
	c := &contender{name: name, repos: "demo/bench", token: b.token, meter: new(meter)}
	r, err := side.Moset(ctx, front.Config{AuthURL: b.authURL, GlanceURL: url, Verifier: b.verifier, Logger: b.logger}, c.meter.around)
	if err != nil {
		return nil, err
	}
	b.onClose(r.Close)
	c.host = r.Host
	return c, nil
}

// startBox serves the Glance box, with its payloads on disk, in this process.
func (b *bench) startBox(ctx context.Context) (string, error) {
	g, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: checker{b.verifier}, Hash: "sha256", Dir: filepath.Join(b.dir, "box")})
	if err != nil {
		return "", err
	}
	r, err := side.Serve(ctx, g)
	if err != nil {
		return "", err
	}
	b.onClose(r.Close)
	return "http://" + r.Host, nil
}

// checker is the box's imagetest.TokenChecker on Keystone.
type checker struct{ verifier authn.Verifier }

// Check implements imagetest.TokenChecker.
func (c checker) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := c.verifier.Verify(ctx, token)
	if err != nil {
		return imagetest.Caller{}, err
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}
