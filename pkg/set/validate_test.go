package set_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestSpecValidateNamesTheField(t *testing.T) {
	app := func(change func(*set.Container)) func(*set.Spec) {
		return func(s *set.Spec) { change(&s.Containers[1]) }
	}
	for field, spoil := range map[string]func(*set.Spec){
		"kind":                           func(s *set.Spec) { s.Kind = "pod" },
		"fencing":                        func(s *set.Spec) { s.Fencing = "maybe" },
		"containers":                     func(s *set.Spec) { s.Containers = nil },
		"volumes":                        func(s *set.Spec) { s.Volumes = make([]set.Volume, set.MaxVolumes+1) },
		"networks":                       func(s *set.Spec) { s.Networks = make([]set.NetworkRequest, 2) },
		"networks[0]":                    func(s *set.Spec) { s.Networks = []set.NetworkRequest{{Egress: -1}} },
		"dns":                            func(s *set.Spec) { s.DNS = make([]netip.Addr, set.MaxNameServers+1) },
		"networks[0].network":            func(s *set.Spec) { s.Networks = []set.NetworkRequest{{Network: "a\nb"}} },
		"containers[1].mounts":           app(func(c *set.Container) { c.Mounts = make([]set.Mount, set.MaxMounts+1) }),
		"dns[1]":                         func(s *set.Spec) { s.DNS = []netip.Addr{netip.IPv6Loopback(), {}} },
		"host_labels":                    func(s *set.Spec) { s.HostLabels = map[string]string{"a b": ""} },
		"resources":                      func(s *set.Spec) { s.Resources.Pids = -1 },
		"resources.cpu":                  func(s *set.Spec) { s.Resources.CPU = 9 },
		"resources.memory":               func(s *set.Spec) { s.Resources.Memory = 31 << 20 },
		"volumes[0].name":                func(s *set.Spec) { s.Volumes[0].Name = "../etc" },
		"volumes[1].name":                func(s *set.Spec) { s.Volumes = append(s.Volumes, s.Volumes[0]) },
		"containers[1].name":             app(func(c *set.Container) { c.Name = "proxy" }),
		"containers[1].role":             app(func(c *set.Container) { c.Role = set.RoleInfra }),
		"containers[1].image":            app(func(c *set.Container) { c.Image = "" }),
		"containers[1].user":             app(func(c *set.Container) { c.User = "root;id" }),
		"containers[1].env":              app(func(c *set.Container) { c.Env = map[string]string{"A=B": ""} }),
		"containers[1].command":          app(func(c *set.Container) { c.Args = []string{"a\x00b"} }),
		"containers[1].working_dir":      app(func(c *set.Container) { c.WorkingDir = "srv" }),
		"containers[1].stop_grace":       app(func(c *set.Container) { c.StopGrace = -1 }),
		"containers[1].start_after":      app(func(c *set.Container) { c.StartAfter = []string{"db"} }),
		"containers.start_after":         app(func(c *set.Container) { c.StartAfter = []string{"app"} }),
		"containers[1].resources.memory": app(func(c *set.Container) { c.Resources.Memory = 1 }),
		"containers[1].mounts[0].volume": app(func(c *set.Container) { c.Mounts[0].Volume = "tmp" }),
		"containers[1].mounts[0].path":   app(func(c *set.Container) { c.Mounts[0].Path = "/" }),
		"containers[1].mounts[1].path":   app(func(c *set.Container) { c.Mounts = append(c.Mounts, c.Mounts[0]) }),
	} {
		t.Run(field, func(t *testing.T) {
			s := sample()
			require.NoError(t, s.Validate())
			spoil(&s)
			err := s.Validate()
			require.ErrorIs(t, err, set.ErrInvalid)
			assert.ErrorContains(t, err, set.ErrInvalid.Error()+": "+field+": ")
		})
	}
}

// sample is a valid Spec that shares nothing.
func sample() set.Spec {
	s := settest.Assignment("s1").Spec
	for i := range s.Containers {
		s.Containers[i].Mounts = []set.Mount{{Volume: "data", Path: "/data"}}
	}
	return s
}

func TestSpecValidateBoundsWhatATenantCanSend(t *testing.T) {
	s := sample()
	for i := range set.MaxContainers {
		s.Containers = append(s.Containers, set.Container{Name: fmt.Sprint("c", i), Image: "i"})
	}
	require.ErrorIs(t, s.Validate(), set.ErrInvalid)
	s = sample()
	s.Containers[0].Env = map[string]string{"BIG": strings.Repeat("x", set.MaxEnvironment)}
	require.ErrorIs(t, s.Validate(), set.ErrInvalid)
	s.Containers[0].Env = map[string]string{"BIG": strings.Repeat("x", set.MaxEnvironment-10)}
	require.NoError(t, s.Validate())
}

func TestTextOfATenantIsPrintableAndShort(t *testing.T) {
	for name, spoil := range map[string]func(*set.Spec){
		"an image with a line break": func(s *set.Spec) { s.Containers[0].Image = "a\nb" },
		"an image with a space":      func(s *set.Spec) { s.Containers[0].Image = "a b" },
		"a label with a line break":  func(s *set.Spec) { s.HostLabels = map[string]string{"k": "a\nb"} },
		"too many arguments":         func(s *set.Spec) { s.Containers[0].Args = []string{strings.Repeat("x", set.MaxArguments)} },
		"a grace without end":        func(s *set.Spec) { s.Containers[0].StopGrace = set.MaxStopGrace + 1 },
		"waiting for too many":       func(s *set.Spec) { s.Containers[1].StartAfter = slices.Repeat([]string{"proxy"}, set.MaxContainers+1) },
	} {
		s := sample()
		spoil(&s)
		assert.ErrorIs(t, s.Validate(), set.ErrInvalid, name)
	}
	s := sample()
	s.Containers[0].Args = []string{strings.Repeat("x", set.MaxArguments-1)}
	s.Containers[0].StopGrace = set.MaxStopGrace
	require.NoError(t, s.Validate())
}

func TestAContainerCannotAskForMoreThanItsSet(t *testing.T) {
	for field, r := range map[string]set.Resources{"cpu": {CPU: 501}, "memory": {Memory: 65 << 20}, "pids": {Pids: 101}} {
		req := set.CreateRequest{Name: "web", Spec: sample()}
		req.Spec.Resources.Pids = 100
		req.Spec.Containers[1].Resources = r
		err := req.Validate()
		assert.ErrorIs(t, err, set.ErrInvalid, field)
		assert.ErrorContains(t, err, ": containers[1].resources."+field+": ")
		req.Spec.Resources = set.Resources{}
		require.NoError(t, req.Validate(), "the region chooses the limits of the set")
	}
}

func TestMountPathsCannotSayMoreThanAPath(t *testing.T) {
	for _, p := range []string{"", "/", "data", "/data/", "/data/../etc", "/data:ro", "/a\nb", "/a\x00", "/" + strings.Repeat("x", 4096)} {
		s := sample()
		s.Containers[0].Mounts[0].Path = p
		assert.ErrorIs(t, s.Validate(), set.ErrInvalid, "%q", p)
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "web-1.example": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "a-": false, ".": false, "A": false, "a_b": false, "a/b": false, "ä": false, strings.Repeat("a", 64): false,
	} {
		err := set.CreateRequest{Name: name, Spec: sample()}.Validate()
		assert.Equal(t, good, err == nil, "%q: %v", name, err)
	}
}

func TestCreateRequestValidate(t *testing.T) {
	for field, spoil := range map[string]func(*set.CreateRequest){
		"Idempotency-Key": func(r *set.CreateRequest) { r.IdempotencyKey = strings.Repeat("k", 256) },
		"desired":         func(r *set.CreateRequest) { r.Desired = set.DesiredSuspended },
		"labels":          func(r *set.CreateRequest) { r.Labels = map[string]string{"k": strings.Repeat("v", 256)} },
		"containers":      func(r *set.CreateRequest) { r.Spec = set.Spec{} },
	} {
		r := set.CreateRequest{Name: "web", Spec: sample()}
		spoil(&r)
		err := r.Validate()
		assert.ErrorIs(t, err, set.ErrInvalid, field)
		assert.ErrorContains(t, err, ": "+field+": ")
	}
}

func TestAssignmentValidate(t *testing.T) {
	for field, spoil := range map[string]func(*set.Assignment){
		"server_id":        func(a *set.Assignment) { a.ServerID = "../../etc" },
		"name":             func(a *set.Assignment) { a.Name = "" },
		"generation":       func(a *set.Assignment) { a.Generation = 0 },
		"desired":          func(a *set.Assignment) { a.Desired = set.DesiredAbsent },
		"images.proxy":     func(a *set.Assignment) { delete(a.Images, "proxy") },
		"addresses[0]":     func(a *set.Assignment) { a.Addresses[0].Segment = 0 },
		"addresses[1]":     func(a *set.Assignment) { a.Addresses = append(a.Addresses, a.Addresses[0]); a.Addresses[1].Egress = -1 },
		"addresses[0].mac": func(a *set.Assignment) { a.Addresses[0].MAC = "fa:16" },
		"grace":            func(a *set.Assignment) { a.Grace = -1 },
		"containers":       func(a *set.Assignment) { a.Spec.Containers = nil },
	} {
		a := settest.Assignment("s1")
		require.NoError(t, a.Validate())
		spoil(&a)
		err := a.Validate()
		assert.ErrorIs(t, err, set.ErrInvalid, field)
		assert.ErrorContains(t, err, ": "+field+": ")
	}
}

func TestWithDefaultsLeavesTheOriginalAlone(t *testing.T) {
	s := set.Spec{Containers: []set.Container{{Name: "app", Image: "app:1"}}}
	d := s.WithDefaults()
	assert.Equal(t, set.KindSet, d.Kind)
	assert.Equal(t, set.FencingKeep, d.Fencing)
	assert.Equal(t, set.RoleApp, d.Containers[0].Role)
	assert.Empty(t, s.Containers[0].Role)
}

func TestStartOrder(t *testing.T) {
	c := func(name string, after ...string) set.Container { return set.Container{Name: name, StartAfter: after} }
	for name, test := range map[string]struct {
		in   []set.Container
		want [][]string
	}{
		"nothing":       {nil, nil},
		"together":      {[]set.Container{c("a"), c("b")}, [][]string{{"a", "b"}}},
		"a chain":       {[]set.Container{c("a", "b"), c("b", "c"), c("c")}, [][]string{{"c"}, {"b"}, {"a"}}},
		"a diamond":     {[]set.Container{c("top", "l", "r"), c("l", "base"), c("r", "base"), c("base")}, [][]string{{"base"}, {"l", "r"}, {"top"}}},
		"a circle":      {[]set.Container{c("a", "b"), c("b", "a")}, nil},
		"itself":        {[]set.Container{c("a"), c("b", "b")}, nil},
		"nobody's name": {[]set.Container{c("a", "x")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			waves, err := set.StartOrder(test.in)
			if test.want == nil && test.in != nil {
				require.ErrorIs(t, err, set.ErrInvalid)
				return
			}
			require.NoError(t, err)
			var got [][]string
			for _, w := range waves {
				var names []string
				for _, c := range w {
					names = append(names, c.Name)
				}
				got = append(got, names)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func FuzzSpecValidate(f *testing.F) {
	b, err := json.Marshal(sample())
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"containers":[{"name":"a","image":"b","start_after":["a"]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s set.Spec
		if json.Unmarshal(b, &s) != nil {
			return
		}
		if err := s.Validate(); err != nil {
			require.ErrorIs(t, err, set.ErrInvalid)
			return
		}
		d := s.WithDefaults()
		require.NoError(t, d.Validate(), "defaults keep a Spec valid")
		waves, err := set.StartOrder(d.Containers)
		require.NoError(t, err)
		n := 0
		for _, w := range waves {
			n += len(w)
		}
		require.Equal(t, len(d.Containers), n, "every container starts once")
		again, err := json.Marshal(d)
		require.NoError(t, err)
		var back set.Spec
		require.NoError(t, json.Unmarshal(again, &back))
		require.Equal(t, set.SpecHash(set.Assignment{Spec: d}), set.SpecHash(set.Assignment{Spec: back}), "a Spec survives JSON")
	})
}
