package sched_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

// lowAddresses is a plug-in that reads all a HostView shows, as a user's would.
type lowAddresses struct{ seen *[]int64 }

func (lowAddresses) Name() string { return "low-addresses" }

func (f lowAddresses) Filter(q *sched.Request, h sched.HostView) sched.Reason {
	n, known := h.FreeIPs("blue")
	*f.seen = append(*f.seen, n, int64(h.Sets(q.Set.Group)), h.Free(sched.CPU), h.Allocatable(sched.CPU))
	if _, labelled := h.Label("slow"); labelled || !known {
		return "is slow"
	}
	return ""
}

func TestAViewShowsTheEarlierCopies(t *testing.T) {
	h := host("a", "", 10)
	h.IPPools, h.Groups = map[string]int64{"blue": 9}, map[string]int{"web": 1}
	var seen []int64
	set := sched.Set{ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 2}, Networks: []string{"blue", "blue"}}
	plan(t, sched.Config{Filters: []sched.Filter{lowAddresses{&seen}}}, sched.Batch{Set: set, N: 2}, h)
	assert.Equal(t, []int64{9, 1, 10, 10, 7, 2, 8, 10}, seen)
}

func TestViewsAreRefusedForBadInput(t *testing.T) {
	_, _, err := sched.Views(sched.Set{ID: "s"}, sched.Host{})
	require.ErrorIs(t, err, sched.ErrInvalid)
}

func TestFitsLooksOnlyAtWhatIsNeeded(t *testing.T) {
	free := sched.Vector{sched.CPU: 2, sched.Disk: -5}
	assert.True(t, sched.Vector{sched.CPU: 2}.Fits(free))
	assert.False(t, sched.Vector{sched.CPU: 3}.Fits(free))
	assert.False(t, sched.Vector{sched.Disk: 1}.Fits(free))
}
