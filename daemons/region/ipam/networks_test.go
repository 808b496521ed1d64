package ipam_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/pkg/set"
)

func TestDefaultNetworkIsMadeOnce(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s, DefaultCIDR: netip.MustParsePrefix("10.9.0.0/24"), MTU: 1400})
	var all sync.WaitGroup
	ids := make(chan string, 20)
	for range 20 {
		all.Go(func() {
			n, err := p.Get(t.Context(), "project-1", "")
			assert.NoError(t, err)
			ids <- n.ID
		})
	}
	all.Wait()
	close(ids)
	list, err := p.List(t.Context(), "project-1")
	require.NoError(t, err)
	require.Len(t, list, 1)
	for id := range ids {
		assert.Equal(t, list[0].ID, id)
	}
	assert.Equal(t, "default", list[0].Name)
	assert.Equal(t, "10.9.0.0/24", list[0].CIDR.String())
	assert.Equal(t, 1400, list[0].MTU)
	segments, err := s.List(t.Context(), "segment/", "", 0)
	require.NoError(t, err)
	assert.Len(t, segments, 1)
}

func TestSegmentIsTheLowestFreeOne(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	for i := range uint16(3) {
		assert.Equal(t, i+1, network(t, p, fmt.Sprint("net-", i), "10.1.0.0/24").Segment)
	}
	require.NoError(t, p.Delete(t.Context(), "project-1", "net-1"))
	assert.EqualValues(t, 2, network(t, p, "again", "10.1.0.0/24").Segment)
	assert.EqualValues(t, 4, network(t, p, "last", "10.1.0.0/24").Segment)
}

func TestSegmentsAreUniqueWhateverTheRace(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	var all sync.WaitGroup
	var mu sync.Mutex
	segments := map[uint16]bool{}
	for i := range 20 {
		all.Go(func() {
			n, err := p.Create(t.Context(), fmt.Sprint("project-", i), ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.1.0.0/24")})
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			segments[n.Segment] = true
		})
	}
	all.Wait()
	assert.Len(t, segments, 20)
	assert.Contains(t, segments, uint16(20))
}

func TestRegionWithoutASegmentLeftSaysSo(t *testing.T) {
	s := memory.New()
	var txn store.Txn
	for n := range 65535 {
		txn.Put(fmt.Sprintf("segment/%05d", n+1), nil)
	}
	_, err := s.Commit(t.Context(), txn)
	require.NoError(t, err)
	_, err = ipam.New(ipam.Config{Store: s}).Get(t.Context(), "project-1", "")
	require.ErrorIs(t, err, set.ErrNoCapacity)
	assert.Contains(t, err.Error(), "all 65535 segments are in use: delete a network")
}

func TestNetworkInUseIsNotDeleted(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	a := take(t, s, p, n)
	_, err := p.Reserve(t.Context(), n, "router")
	require.NoError(t, err)
	err = p.Delete(t.Context(), "project-1", "net")
	require.ErrorIs(t, err, set.ErrConflict)
	assert.Contains(t, err.Error(), "2 addresses of network net are in use")
	take(t, s, p, n) // it goes on as before

	release(t, s, a)
	list, err := p.List(t.Context(), "project-1")
	require.NoError(t, err)
	assert.Equal(t, 2, list[0].InUse)
}

func TestDeletedNetworkIsGone(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	require.NoError(t, p.Delete(t.Context(), "project-1", n.ID))
	for _, ref := range []string{"net", n.ID} {
		_, err := p.Get(t.Context(), "project-1", ref)
		require.ErrorIs(t, err, set.ErrNotFound)
		require.ErrorIs(t, p.Delete(t.Context(), "project-1", ref), set.ErrNotFound)
	}
	_, err := allocate(t.Context(), s, p, n, "late")
	require.ErrorIs(t, err, set.ErrNotFound)
	items, err := s.List(t.Context(), "", "", 0)
	require.NoError(t, err)
	assert.Empty(t, items)
}

func TestAnotherProjectsNetworkIsNotThere(t *testing.T) {
	p := ipam.New(ipam.Config{Store: memory.New()})
	n := network(t, p, "net", "10.1.0.0/24")
	_, err := p.Get(t.Context(), "project-2", n.ID)
	assert.ErrorIs(t, err, set.ErrNotFound)
	assert.ErrorIs(t, p.Delete(t.Context(), "project-2", n.ID), set.ErrNotFound)
}

// stopping is a store that fails after some commits.
type stopping struct {
	store.Store
	left int
}

func (s *stopping) Commit(ctx context.Context, t store.Txn) (uint64, error) {
	if s.left--; s.left < 0 {
		return 0, store.ErrUnavailable
	}
	return s.Store.Commit(ctx, t)
}

func TestDeletionThatBrokeOffIsTakenUpAgain(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	err := ipam.New(ipam.Config{Store: &stopping{s, 1}}).Delete(t.Context(), "project-1", "net")
	require.ErrorIs(t, err, set.ErrUnavailable)
	_, err = allocate(t.Context(), s, p, n, "late")
	require.ErrorIs(t, err, set.ErrNotFound, "nobody joins it any more")
	require.NoError(t, p.Delete(t.Context(), "project-1", "net"))
	network(t, p, "net", "10.1.0.0/24")
}

func TestNoServerJoinsANetworkWhileItIsDeleted(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	for i := range 50 {
		n := network(t, p, "net", "10.1.0.0/24")
		var both sync.WaitGroup
		var joined, deleted error
		both.Go(func() { _, joined = allocate(t.Context(), s, p, n, fmt.Sprint(i)) })
		both.Go(func() { deleted = p.Delete(t.Context(), "project-1", "net") })
		both.Wait()
		require.False(t, joined == nil && deleted == nil, "an address of a network that is gone")
		if deleted == nil {
			continue
		}
		list, err := s.List(t.Context(), "ip/", "", 0)
		require.NoError(t, err)
		for _, item := range list {
			var txn store.Txn
			txn.Delete(item.Key)
			_, err = s.Commit(t.Context(), txn)
			require.NoError(t, err)
		}
		require.NoError(t, p.Delete(t.Context(), "project-1", "net"))
	}
}

func TestNetworkRequestIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		req  ipam.NetworkRequest
		says string
	}{
		"no name":         {ipam.NetworkRequest{}, "name: "},
		"a long name":     {ipam.NetworkRequest{Name: strings.Repeat("n", 64)}, "name: "},
		"a slash":         {ipam.NetworkRequest{Name: "a/b"}, "name: "},
		"no range":        {ipam.NetworkRequest{Name: "net"}, "cidr: "},
		"IPv6":            {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("fd00::/64")}, "not an IPv4 range"},
		"too small":       {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.0.0.0/30")}, "/8 to /29"},
		"too large":       {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("0.0.0.0/7")}, "/8 to /29"},
		"host bits":       {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.0.0.1/24")}, "10.0.0.0/24 is meant"},
		"packets of 100":  {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.0.0.0/24"), MTU: 100}, "mtu: "},
		"packets of 1 MB": {ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.0.0.0/24"), MTU: 1 << 20}, "mtu: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ipam.New(ipam.Config{Store: memory.New()}).Create(t.Context(), "project-1", c.req)
			require.ErrorIs(t, err, set.ErrInvalid)
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

func TestNetworkNameIsTakenOnce(t *testing.T) {
	p := ipam.New(ipam.Config{Store: memory.New()})
	network(t, p, "net", "10.1.0.0/24")
	_, err := p.Create(t.Context(), "project-1", ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.2.0.0/24")})
	require.ErrorIs(t, err, set.ErrConflict)
	_, err = p.Create(t.Context(), "project-2", ipam.NetworkRequest{Name: "net", CIDR: netip.MustParsePrefix("10.2.0.0/24")})
	assert.NoError(t, err)
}
