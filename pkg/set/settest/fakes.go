package settest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// Fakes are one host's seams in memory. They share their Knobs.
type Fakes struct {
	Knobs
	Engine  *Engine
	Images  *Images
	Network *Network
	Journal *Journal
}

// NewFakes returns an empty host.
func NewFakes() *Fakes {
	f := &Fakes{}
	f.Images = &Images{knobs: &f.Knobs, local: map[string]bool{}, missing: map[string]bool{}}
	f.Engine = &Engine{knobs: &f.Knobs, has: f.Images.has, servers: map[string]*fakeServer{}, events: map[chan string]struct{}{}}
	f.Network = &Network{knobs: &f.Knobs, ports: map[string]set.AttachRequest{}}
	f.Journal = &Journal{knobs: &f.Knobs, records: map[string][]byte{}}
	return f
}

// Config composes a Manager of the fakes, with times that suit a test: retries for 200ms, polls every 50ms.
func (f *Fakes) Config() set.ManagerConfig {
	return set.ManagerConfig{Engine: f.Engine, Images: f.Images, Network: f.Network, Journal: f.Journal,
		RetryFor: 200 * time.Millisecond, Backoff: 4 * time.Millisecond, BackoffMax: 40 * time.Millisecond, Poll: 50 * time.Millisecond}
}

// NewManager starts a Manager on the fakes that the test's end closes.
func NewManager(t testing.TB, f *Fakes) *set.Manager {
	t.Helper()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// Left names what of a server is on the host: "engine", "network", "journal". Empty when nothing is.
func (f *Fakes) Left(serverID string) []string {
	left := []string{}
	if _, ok := f.Engine.Found(serverID); ok {
		left = append(left, "engine")
	}
	if _, ok := f.Network.Port(serverID); ok {
		left = append(left, "network")
	}
	if _, ok := f.Journal.Record(serverID); ok {
		left = append(left, "journal")
	}
	return left
}
