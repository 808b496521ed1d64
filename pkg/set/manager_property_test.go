package set_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

// story is a host, its Manager, and what the region last got accepted of server s1.
type story struct {
	t    *rapid.T
	host *settest.Fakes
	m    *set.Manager
	want set.Assignment
	here bool // applied and not removed since
}

func TestWhateverHappensAManagerGetsWhereItIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &story{t: t, host: settest.NewFakes(), want: settest.Assignment("s1")}
		s.want.Generation = 0
		s.start()
		defer func() { require.NoError(t, s.m.Close()) }()
		t.Repeat(map[string]func(*rapid.T){
			"apply":      func(t *rapid.T) { s.apply(t) },
			"remove":     func(*rapid.T) { s.remove() },
			"restart":    func(*rapid.T) { require.NoError(s.t, s.m.Close()); s.start() },
			"exit":       func(*rapid.T) { s.host.Engine.Exit("s1", "app", 1) },
			"lose infra": func(*rapid.T) { s.host.Engine.LoseInfra("s1") },
			"hiccup":     func(t *rapid.T) { s.hiccup(t) },
			"time":       func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(t, "us")) * time.Microsecond) },
		})
		s.host.Mend()
		s.ends()
	})
}

func (s *story) start() {
	cfg := s.host.Config()
	cfg.Backoff, cfg.BackoffMax, cfg.Poll, cfg.RetryFor = time.Millisecond, 4*time.Millisecond, 5*time.Millisecond, time.Hour
	m, err := set.NewManager(cfg)
	require.NoError(s.t, err)
	s.m = m
}

func (s *story) apply(t *rapid.T) {
	next := settest.Next(s.want, func(a *set.Assignment) {
		a.Desired = rapid.SampledFrom([]set.Desired{set.DesiredRunning, set.DesiredStopped, set.DesiredSuspended}).Draw(t, "desired")
		if rapid.Bool().Draw(t, "other content") {
			a.Spec.Containers[0].Args = []string{time.Duration(a.Generation).String()}
		}
		if !s.here {
			a.Epoch++
		}
	})
	if _, err := s.m.Apply(s.t.Context(), next); err == nil { // it may be leaving still, or the journal may not take it
		s.want, s.here = next, true
	}
}

func (s *story) remove() {
	if _, err := s.m.Remove(s.t.Context(), set.Removal{ServerID: "s1", Epoch: s.want.Epoch}); err == nil {
		s.here = false
	}
}

func (s *story) hiccup(t *rapid.T) {
	method := rapid.SampledFrom([]string{"Engine.List", "Engine.Prepare", "Engine.Start", "Engine.Stop", "Engine.Suspend", "Engine.Resume",
		"Engine.Remove", "Images.Ensure", "Network.Attach", "Network.Detach", "Journal.Save", "Journal.Delete"}).Draw(t, "method")
	s.host.FailNext(method, rapid.IntRange(1, 3).Draw(t, "times"), set.ErrUnavailable)
}

// ends waits for what was last accepted: exactly that, and nothing besides.
func (s *story) ends() {
	deadline := time.Now().Add(settest.Patience)
	for !s.there() {
		if time.Now().After(deadline) {
			list, err := s.m.Observe(s.t.Context())
			found, _ := s.host.Engine.Found("s1")
			s.t.Fatalf("wanted (here=%v) %+v\nobserved %+v (%v)\non the engine %+v\nleft %v", s.here, s.want, list, err, found, s.host.Left("s1"))
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *story) there() bool {
	left := s.host.Left("s1")
	if !s.here {
		return len(left) == 0
	}
	list, err := s.m.Observe(s.t.Context(), "s1")
	if err != nil || len(list) != 1 {
		return false
	}
	record := set.Server{Generation: s.want.Generation, Epoch: s.want.Epoch, Desired: s.want.Desired, Observed: list[0].Observed}
	_, attached := portOf(s.host, "s1")
	kept, ok := s.host.Journal.Record("s1")
	return record.Settled() && list[0].Fault == nil && ok && kept.Reached && kept.Assignment.Generation == s.want.Generation &&
		attached == (s.want.Desired != set.DesiredStopped) && slices.Contains(left, "network") == attached && s.asTold()
}

// asTold looks at the engine itself.
func (s *story) asTold() bool {
	found, ok := s.host.Engine.Found("s1")
	switch s.want.Desired {
	case set.DesiredStopped:
		return !ok || found.Sandbox.NetNS == ""
	case set.DesiredSuspended:
		return found.SpecHash == set.SpecHash(s.want) && found.Containers[2].State == set.ContainerPaused
	}
	return found.SpecHash == set.SpecHash(s.want) && found.Containers[1].State == set.ContainerRunning && found.Containers[2].State == set.ContainerRunning
}
