package machines

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/moset/moset/test/process"
)

// site is two hosts, a region and a registry, each on its own machine.
type site struct {
	*process.Cloud
	t         *testing.T
	a, b      host
	authority *authntest.Authority
	region    authn.CertificateFiles
}

func newSite(t *testing.T) *site {
	t.Helper()
	newNetwork(t)
	region, registry := newMachine(t, "region", "10.213.0.2"), newMachine(t, "registry", "10.213.0.3")
	s := &site{t: t, a: newHost(t, "a", "10.213.0.11"), b: newHost(t, "b", "10.213.0.12")}
	connect(t, s.a.machine, s.b.machine)
	var err error
	s.authority, err = authntest.NewAuthority(t.TempDir())
	require.NoError(t, err)
	s.region = issue(t, s.authority, region, authn.RoleRegion)
	place := func(m machine, port string, flags []string) process.Place {
		return process.Place{NetNS: m.path(), Listen: m.address + port, URL: "https://" + m.address + port, Flags: flags}
	}
	s.Cloud = process.Start(t, process.Config{Programs: programs, Address: gateway, Certificates: true, Env: []string{"OS_CACERT=" + s.authority.CA()},
		Region:   place(region, ":9780", append(flags(s.region), "-tls-ca", s.region.CA)),
		Registry: place(registry, ":9781", flags(issue(t, s.authority, registry, ""))),
		Hosts: []process.Host{s.a.config(issue(t, s.authority, s.a.machine, authn.RoleHost)),
			s.b.config(issue(t, s.authority, s.b.machine, authn.RoleHost))}})
	// docker push from an engine that knows no certificate needs a registry on loopback; it is the same Glance.
	loopback := s.NewRegistry(t, process.Place{})
	loopback.Start(t)
	for _, project := range []string{"demo", "alt"} {
		s.PushImagesFrom(t, os.Getenv("MOSET_TEST_DOCKER"), strings.TrimPrefix(loopback.URL, "http://"), project)
	}
	return s
}

// set is a running set, as its neighbours see it.
type set struct {
	user, name, address string
	netns               string // path
}

// create makes a set on a host.
func (s *site) create(user, name string, on host) set {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), name+".yaml")
	spec := "{name: %s, spec: {host_labels: {host: %s}, resources: {memory: 64Mi, cpu: 200m}, containers: [{name: web, image: 'web:v1'}]}}"
	require.NoError(s.t, os.WriteFile(file, fmt.Appendf(nil, spec, name, on.name), 0o600))
	s.Must(s.t, user, "server", "create", "-f", file)
	show := func(format string) string { return s.Must(s.t, user, "server", "show", name, "--format", format) }
	assert.Equal(s.t, on.name, show("{{.host}}"))
	address, _, _ := strings.Cut(show("{{range .addresses}}{{.prefix}}{{end}}"), "/")
	id := show(`{{range .observed.containers}}{{if eq .name "web"}}{{.id}}{{end}}{{end}}`)
	pid, err := exec.Command("docker", "--host", on.engine(), "inspect", "-f", "{{.State.Pid}}", id).Output()
	require.NoError(s.t, err)
	return set{user, name, address, "/proc/" + strings.TrimSpace(string(pid)) + "/ns/net"}
}

// get fetches another set's page from inside this one.
func (from set) get(t *testing.T, to set) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	return hostnettest.HTTPGet(ctx, from.netns, "http://"+to.address+"/")
}

// reaches waits until the program behind the page listens.
func (from set) reaches(t *testing.T, to set) {
	t.Helper()
	process.Await(t, from.name+" to reach "+to.name, func() bool {
		page, err := from.get(t, to)
		require.True(t, err == nil || errors.Is(err, syscall.ECONNREFUSED), "%v", err)
		return strings.Contains(page, to.name)
	})
}

func TestACloudOnSeveralMachines(t *testing.T) {
	s := newSite(t)
	footprint := func() []string { return append(s.a.site(s.Cloud).Footprint(t), s.b.site(s.Cloud).Footprint(t)...) }
	before := footprint()

	one, two, three := s.create("demo", "one", s.a), s.create("demo", "two", s.b), s.create("demo", "three", s.b)
	t.Run("sets of one project reach each other wherever they are", func(t *testing.T) {
		one.reaches(t, two)
		two.reaches(t, one)
		three.reaches(t, two)
	})

	foreign, near := s.create("alt", "foreign", s.b), s.create("alt", "near", s.a)
	t.Run("sets of different projects never do", func(t *testing.T) {
		near.reaches(t, foreign) // so what fails below fails for the project alone
		// Both projects have the same addresses: only what the other one does not have itself tells.
		require.Equal(t, one.address, foreign.address)
		require.Equal(t, two.address, near.address)
		for _, from := range []set{foreign, near} {
			_, err := from.get(t, three)
			require.Error(t, err, "%s reached %s", from.name, three.name)
		}
		one.reaches(t, two) // the one of its own project, though another has the address too
		page, err := near.get(t, foreign)
		require.NoError(t, err)
		assert.Contains(t, page, "foreign")
	})

	t.Run("region and hosts refuse who shows no certificate", func(t *testing.T) {
		roots, err := authn.LoadCertificates(s.region)
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: roots.Roots()}}
		defer client.CloseIdleConnections()
		for url, method := range map[string]string{"https://10.213.0.11:9782/v1/assignments": http.MethodGet, "https://10.213.0.2:9780/v1/hosts/a": http.MethodPut} {
			req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
			require.NoError(t, err)
			resp, err := client.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, url)
		}
	})

	t.Run("a host speaks for itself alone", func(t *testing.T) {
		files, err := s.authority.Issue("b-again", authn.RoleHost)
		require.NoError(t, err)
		own, err := authn.LoadCertificates(files)
		require.NoError(t, err)
		peer, err := own.Peer(authn.RoleRegion)
		require.NoError(t, err)
		client := &http.Client{Transport: peer.Transport(nil)}
		defer client.CloseIdleConnections()
		body := strings.NewReader(`{"name":"a","url":"https://10.213.0.99:1","ready":true,"capacity":{}}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://10.213.0.2:9780/v1/hosts/a", body)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	})

	s.Must(t, "demo", "server", "delete", "one", "two", "three")
	s.Must(t, "alt", "server", "delete", "foreign", "near")
	process.LeavesNothing(t, before, footprint)
}
