package conformance

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// login is as whom the suite runs, and where it may write.
type login struct{ user, password, project string }

func buildSuite(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "conformance")
	out, err := exec.Command("go", "build", "-C", "oci", "-o", program, "github.com/opencontainers/distribution-spec/conformance").CombinedOutput()
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
			Name   string `xml:"name,attr"`
			Status string `xml:"status,attr"`
			Why    string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func (r results) passed() int { return r.Tests - r.Failures - r.Errors - r.Skipped - r.Disabled }

// list names the cases that did not pass.
func (r results) list() string {
	var all strings.Builder
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			if c.Status != "passed" {
				fmt.Fprintf(&all, "%s %s: %s\n", c.Status, c.Name, c.Why)
			}
		}
	}
	return all.String()
}

// runSuite runs the suite with a password, so that the token realm is used too.
func runSuite(t *testing.T, suite, address, version string, as login) results {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(suite)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OCI_REGISTRY="+address, "OCI_TLS=disabled", "OCI_VERSION="+version, "OCI_LOG=error", "OCI_RESULTS_DIR="+dir,
		"OCI_REPO1="+as.project+"/conformance/one", "OCI_REPO2="+as.project+"/conformance/two", "OCI_USERNAME="+as.user+"/"+as.project, "OCI_PASSWORD="+as.password)
	out, failed := cmd.CombinedOutput()
	raw, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	require.NoError(t, err, "%s", out)
	var r results
	require.NoError(t, xml.Unmarshal(raw, &r))
	require.NoError(t, failed, "the suite found faults:\n%s", r.list())
	return r
}
