package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/test/process"
)

// TestDaemonsKilledInTheMiddleLoseAndDoubleNothing kills each daemon at many moments of creates and deletes
// and starts it again on what it left. With MOSET_SOAK it goes on for so long; the moments are the same in
// every run.
func TestDaemonsKilledInTheMiddleLoseAndDoubleNothing(t *testing.T) {
	t.Parallel() // both tests of this package wait most of the time
	c := process.Start(t, process.Config{Programs: programs, Hosts: []process.Host{{Name: "kill-a"}, {Name: "kill-b"}}})
	c.PushImages(t)
	c.Must(t, "demo", "network", "show", "default") // made on first use, and kept
	f := newFleet(t, c)
	f.random = rand.New(rand.NewPCG(3, 7))
	until := time.Now().Add(soak(t))
	victims := []string{"kill-a", "region", "registry", "kill-a", "region"}
	for i := 0; i < len(victims) || time.Now().Before(until); i++ {
		victim := victims[i%len(victims)]
		ok := t.Run(fmt.Sprintf("%d %s", i, victim), func(t *testing.T) { f.round(t, victim) })
		require.True(t, ok, "what this round left would be taken for what the next one leaves")
	}
}

// soak is how long the sweep shall go on.
func soak(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("MOSET_SOAK")
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	require.NoError(t, err, "MOSET_SOAK is a duration such as 10m")
	return d
}

// round creates servers, deletes half of them while others are created, and deletes the rest, with a kill
// in the middle of each of the three; afterwards everything is as before.
func (f *fleet) round(t *testing.T, victim string) {
	before := f.cloud.Footprint(t)
	f.cloud.ForgetImages(t)
	if victim == "registry" { // pulls take long enough to be met
		f.cloud.Glance.SetLatency(40 * time.Millisecond)
		defer f.cloud.Glance.SetLatency(0)
	}
	first := f.names(4)
	f.killDuring(t, victim, f.creates(first)...)
	f.awaitRunning(t, first)

	second := f.names(2)
	f.killDuring(t, victim, append(f.deletes(first[:2]), f.creates(second)...)...)
	f.awaitGone(t, first[:2])
	rest := append(first[2:], second...)
	f.awaitRunning(t, rest)

	f.killDuring(t, victim, f.deletes(rest)...)
	f.awaitGone(t, rest)
	process.LeavesNothing(t, before, func() []string { return f.cloud.Footprint(t, f.created...) })
}

// killDuring sends requests all at once and kills a daemon while they are under way. It returns when all are
// answered and the daemon runs again.
func (f *fleet) killDuring(t *testing.T, victim string, requests ...func() error) {
	t.Helper()
	after, away := f.upTo(800*time.Millisecond), f.upTo(600*time.Millisecond)
	t.Logf("%s is killed after %s and stays away for %s", victim, after, away)
	answers := make(chan error, len(requests))
	for _, request := range requests {
		go func() { answers <- request() }()
	}
	d := f.daemon(victim)
	time.Sleep(after)
	d.Kill(t)
	time.Sleep(away)
	d.Start(t)
	for range requests {
		require.NoError(t, <-answers)
	}
}

// upTo is a duration by chance.
func (f *fleet) upTo(most time.Duration) time.Duration {
	return time.Duration(f.random.Int64N(int64(most))).Truncate(time.Millisecond)
}
