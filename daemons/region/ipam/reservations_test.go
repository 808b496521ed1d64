package ipam_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/pkg/set"
)

func TestReservationIsTheSameHoweverOftenAsked(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	first, err := p.Reserve(t.Context(), n, "router")
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			again, err := p.Reserve(t.Context(), n, "router")
			assert.NoError(t, err)
			assert.Equal(t, first, again)
			raced, err := p.Reserve(t.Context(), n, "raced")
			assert.NoError(t, err)
			assert.NotEqual(t, first.Address.Prefix, raced.Address.Prefix)
		})
	}
	all.Wait()
	list, err := p.Reservations(t.Context(), n)
	require.NoError(t, err)
	assert.Len(t, list, 2)
	n, err = p.Count(t.Context(), n)
	require.NoError(t, err)
	assert.Equal(t, 2, n.InUse)
}

func TestReservedAddressIsGivenBack(t *testing.T) {
	s := memory.New()
	p := ipam.New(ipam.Config{Store: s})
	n := network(t, p, "net", "10.1.0.0/24")
	_, err := p.Reserve(t.Context(), n, "router")
	require.NoError(t, err)
	require.NoError(t, p.Unreserve(t.Context(), n, "router"))
	require.ErrorIs(t, p.Unreserve(t.Context(), n, "router"), set.ErrNotFound)
	list, err := p.Reservations(t.Context(), n)
	require.NoError(t, err)
	assert.Empty(t, list)
	require.NoError(t, p.Delete(t.Context(), "project-1", "net"))
}

func TestReservationNeedsAName(t *testing.T) {
	p := ipam.New(ipam.Config{Store: memory.New()})
	n := network(t, p, "net", "10.1.0.0/24")
	for _, name := range []string{"", "a/b", "Router"} {
		_, err := p.Reserve(t.Context(), n, name)
		assert.ErrorIs(t, err, set.ErrInvalid, name)
	}
}
