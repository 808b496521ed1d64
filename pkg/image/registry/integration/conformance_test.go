package integration

import (
	"context"
	"encoding/xml"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// suiteModule pins the conformance suite of the OCI distribution specification; it is no dependency of this module.
const suiteModule = "../../../../test/conformance/oci"

// TestTheConformanceSuiteFindsNoFault runs the suite on every store, once for the released specification and once for
// the next one, which asks for more.
func TestTheConformanceSuiteFindsNoFault(t *testing.T) {
	suite := buildSuite(t)
	for name, stores := range map[string]func(*testing.T) storesFunc{
		"memory":             memoryStores,
		"Glance with sha256": func(t *testing.T) storesFunc { return glanceStores(t, "sha256") },
		"Glance with sha512": func(t *testing.T) storesFunc { return glanceStores(t, "sha512") },
	} {
		for _, version := range []string{"1.1", "1.1+dev"} {
			t.Run(name+" "+version, func(t *testing.T) {
				got := runSuite(t, suite, serve(t, stores(t)), version)
				t.Logf("conformance %s on %s: %d pass, %d FAIL, %d error, %d skipped, %d disabled of %d",
					version, name, got.passed(), got.Failures, got.Errors, got.Skipped, got.Disabled, got.Tests)
				require.Zero(t, got.Failures+got.Errors, got.list())
				require.Zero(t, got.Skipped, got.list())
				require.Greater(t, got.passed(), 800, "the suite ran only in part")
			})
		}
	}
}

type storesFunc func(ctx context.Context, id registry.Identity) (image.Store, error)

func memoryStores(*testing.T) storesFunc {
	cloud := imagetest.NewCloud()
	return func(_ context.Context, id registry.Identity) (image.Store, error) {
		return cloud.Store(id.Project), nil
	}
}

func glanceStores(t *testing.T, hash string) storesFunc {
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: keystone{}, Hash: hash, Dir: t.TempDir()})
	require.NoError(t, err)
	srv := httptest.NewServer(box)
	t.Cleanup(srv.Close)
	cache := new(glance.Cache)
	return func(_ context.Context, id registry.Identity) (image.Store, error) {
		return glance.New(glance.Config{Endpoint: srv.URL, Token: id.Token, ProjectID: id.ProjectID, Project: id.Project, Cache: cache})
	}
}

// serve returns the address of a registry on these stores.
func serve(t *testing.T, stores storesFunc) string {
	h, err := registry.New(registry.Config{Auth: keystone{}, Issuer: keystone{}, Stores: stores})
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(func() { srv.Close(); require.NoError(t, h.Close()) })
	return strings.TrimPrefix(srv.URL, "http://")
}

func buildSuite(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "conformance")
	out, err := exec.Command("go", "build", "-C", suiteModule, "-o", program, "github.com/opencontainers/distribution-spec/conformance").CombinedOutput()
	require.NoError(t, err, "the conformance suite cannot be built, is the module proxy within reach? %s", out)
	return program
}

// results are the counts and the cases of the suite's junit.xml.
type results struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Disabled int `xml:"disabled,attr"`
	Suites   []struct {
		Cases []struct {
			Name    string `xml:"name,attr"`
			Failure string `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func (r results) passed() int { return r.Tests - r.Failures - r.Errors - r.Skipped - r.Disabled }

// list names the cases that did not pass.
func (r results) list() string {
	var all []string
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			switch {
			case c.Failure != "":
				all = append(all, c.Name+": "+c.Failure)
			case c.Skipped != nil:
				all = append(all, c.Name+" skipped: "+c.Skipped.Message)
			}
		}
	}
	return strings.Join(all, "\n")
}

// runSuite logs in as alice, so that the token realm is used too. The suite exits with an error when a case fails;
// what it found is in its results.
func runSuite(t *testing.T, suite, address, version string) results {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(suite)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OCI_REGISTRY="+address, "OCI_TLS=disabled", "OCI_VERSION="+version, "OCI_LOG=error", "OCI_RESULTS_DIR="+dir,
		"OCI_REPO1=demo/one", "OCI_REPO2=demo/two", "OCI_USERNAME=alice/demo", "OCI_PASSWORD=secret")
	out, _ := cmd.CombinedOutput()
	raw, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	require.NoError(t, err, "%s", out)
	var r results
	require.NoError(t, xml.Unmarshal(raw, &r))
	return r
}
