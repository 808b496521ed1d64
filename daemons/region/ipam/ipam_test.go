package ipam_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/daemons/region/store/sqlite"
	"github.com/moset/moset/pkg/set"
)

func network(t *testing.T, p *ipam.IPAM, name, cidr string) ipam.Network {
	t.Helper()
	n, err := p.Create(t.Context(), "project-1", ipam.NetworkRequest{Name: name, CIDR: netip.MustParsePrefix(cidr)})
	require.NoError(t, err)
	return n
}

// allocate takes an address as the controller does: again when somebody else was faster.
func allocate(ctx context.Context, s store.Store, p *ipam.IPAM, n ipam.Network, holder string) (set.Address, error) {
	for {
		var txn store.Txn
		a, err := p.Allocate(ctx, &txn, n, holder, set.NetworkRequest{Ingress: 1, Egress: 2})
		if err != nil {
			return a, err
		}
		if _, err := s.Commit(ctx, txn); !errors.Is(err, store.ErrConflict) {
			return a, err
		}
	}
}

func take(t *testing.T, s store.Store, p *ipam.IPAM, n ipam.Network) set.Address {
	t.Helper()
	a, err := allocate(t.Context(), s, p, n, "server-1")
	require.NoError(t, err)
	return a
}

func release(t *testing.T, s store.Store, a set.Address) {
	t.Helper()
	var txn store.Txn
	ipam.Release(&txn, a)
	_, err := s.Commit(t.Context(), txn)
	require.NoError(t, err)
}

func TestAddressSaysEverythingAPortNeeds(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	a := take(t, s, p, n)
	assert.Regexp(t, `^fa:16:3e(:[0-9a-f]{2}){3}$`, a.MAC)
	a.MAC = ""
	assert.Equal(t, set.Address{NetworkID: n.ID, Network: "net", Segment: 1, Prefix: netip.MustParsePrefix("10.1.0.2/24"),
		Gateway: netip.MustParseAddr("10.1.0.1"), MTU: 1450, Ingress: 1, Egress: 2}, a)
}

func TestAddressesAreUniqueWhateverTheRace(t *testing.T) {
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "region.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	for name, s := range map[string]store.Store{"memory": memory.New(), "sqlite": db} {
		t.Run(name, func(t *testing.T) {
			p := ipam.New(ipam.Config{Store: s})
			other := ipam.New(ipam.Config{Store: s}) // a second region process would have cursors of its own
			n := network(t, p, "net", "10.1.0.0/24")
			var mu sync.Mutex
			var all sync.WaitGroup
			addresses, macs := map[netip.Prefix]bool{}, map[string]bool{}
			for i := range 50 {
				all.Go(func() {
					from := p
					if i%2 == 0 {
						from = other
					}
					a, err := allocate(t.Context(), s, from, n, fmt.Sprint(i))
					assert.NoError(t, err)
					mu.Lock()
					defer mu.Unlock()
					addresses[a.Prefix], macs[a.MAC] = true, true
				})
			}
			all.Wait()
			assert.Len(t, addresses, 50)
			assert.Len(t, macs, 50)
			n, err := p.Count(t.Context(), n)
			require.NoError(t, err)
			assert.Equal(t, 50, n.InUse)
			assert.Equal(t, 253, n.Size)
		})
	}
}

func TestNetworkThatIsFullSaysSo(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "tiny", "10.1.0.0/29")
	seen := map[netip.Prefix]bool{}
	for range 5 {
		seen[take(t, s, p, n).Prefix] = true
	}
	assert.Len(t, seen, 5)
	assert.NotContains(t, seen, netip.MustParsePrefix("10.1.0.0/29"))
	assert.NotContains(t, seen, netip.MustParsePrefix("10.1.0.1/29"), "the gateway's")
	assert.NotContains(t, seen, netip.MustParsePrefix("10.1.0.7/29"), "broadcast")
	_, err := allocate(t.Context(), s, p, n, "sixth")
	require.ErrorIs(t, err, set.ErrNoCapacity)
	assert.Equal(t, "no host fits: network tiny has no free address: all 5 are in use", err.Error())
}

func TestReleasedAddressRestsBeforeItIsUsedAgain(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "tiny", "10.1.0.0/29")
	first := take(t, s, p, n)
	release(t, s, first)
	for range 4 {
		assert.NotEqual(t, first.Prefix, take(t, s, p, n).Prefix)
	}
	assert.Equal(t, first.Prefix, take(t, s, p, n).Prefix, "its turn comes when the others are taken")
}

func TestProjectsMayHaveTheSameRange(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	var addresses []set.Address
	for _, project := range []string{"project-1", "project-2"} {
		n, err := p.Get(t.Context(), project, "")
		require.NoError(t, err)
		addresses = append(addresses, take(t, s, p, n))
	}
	assert.Equal(t, addresses[0].Prefix, addresses[1].Prefix)
	assert.NotEqual(t, addresses[0].Segment, addresses[1].Segment)
}
