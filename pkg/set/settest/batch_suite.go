package settest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// BatchRoom is how many small servers a region under TestBatches and TestServices has room for.
const BatchRoom = 10

// TestBatches runs the contract of set.BatchCreator. Every part gets a new region without servers, with room
// for BatchRoom of them.
func TestBatches(t *testing.T, newRegion func(t *testing.T) ControllerFixture) {
	for name, part := range map[string]func(*testing.T, ControllerFixture){
		"all servers of a batch run":                          batchRuns,
		"what does not fit is refused by itself":              batchPartial,
		"a name that is taken is refused by itself":           batchNameTaken,
		"rather none than fewer":                              batchWhole,
		"a batch of which nothing fits is refused as one":     batchNothing,
		"the same key and content is the same batch":          batchIdempotent,
		"the same batch sent many times at once is made once": batchRace,
		"an invalid batch names its field":                    batchInvalid,
		"a caller who only reads creates no batch":            batchReadOnly,
		"batches at once take what fits and no more":          batchesCompete,
	} {
		t.Run(name, func(t *testing.T) { part(t, newRegion(t)) })
	}
}

func (f ControllerFixture) batches(t *testing.T) set.BatchCreator {
	t.Helper()
	c, ok := f.Mine.(set.BatchCreator)
	require.True(t, ok, "the Controller is no BatchCreator")
	return c
}

func (f ControllerFixture) batch(count int) set.BatchRequest {
	return set.BatchRequest{CreateRequest: f.request("web"), Count: count}
}

// accepted returns the names that have a task, once all tasks are done.
func (f ControllerFixture) accepted(t *testing.T, b set.Batch) (names []string) {
	t.Helper()
	for _, i := range b.Items {
		require.NotEqual(t, i.Task == nil, i.Fault == nil, "%s: either a task or a fault", i.Name)
		if i.Task != nil {
			assert.Equal(t, i.Name, i.Task.ServerName)
			done(t, f.Mine, *i.Task, nil)
			names = append(names, i.Name)
		}
	}
	return names
}

// names lists the project's servers in order of creation.
func (f ControllerFixture) names(t *testing.T) (names []string) {
	t.Helper()
	page, err := f.Mine.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	for _, s := range page.Servers {
		names = append(names, s.Name)
	}
	return names
}

func batchRuns(t *testing.T, f ControllerFixture) {
	b, err := f.batches(t).CreateBatch(t.Context(), f.batch(BatchRoom))
	require.NoError(t, err)
	want := f.batch(BatchRoom).Names()
	assert.Equal(t, "web-1", want[0])
	assert.Equal(t, want, f.accepted(t, b))
	assert.Equal(t, want, f.names(t), "created in order of the names")
	addresses := map[string]bool{}
	for _, name := range want {
		s, err := f.Mine.Get(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, set.StateRunning, s.Status())
		require.Len(t, s.Addresses, 1)
		addresses[s.Addresses[0].Prefix.String()] = true
	}
	assert.Len(t, addresses, BatchRoom, "no two share an address")
}

func batchPartial(t *testing.T, f ControllerFixture) {
	b, err := f.batches(t).CreateBatch(t.Context(), f.batch(2*BatchRoom))
	require.NoError(t, err)
	require.Len(t, b.Items, 2*BatchRoom)
	assert.Len(t, f.accepted(t, b), BatchRoom)
	assert.Len(t, f.names(t), BatchRoom)
	for _, i := range b.Items {
		if i.Fault != nil {
			assert.Equal(t, set.Code(set.ErrNoCapacity), i.Fault.Code)
			assert.Contains(t, i.Fault.Message, "lack", "which resource on how many hosts")
		}
	}
}

func batchNameTaken(t *testing.T, f ControllerFixture) {
	f.create(t, f.request("web-2"))
	b, err := f.batches(t).CreateBatch(t.Context(), f.batch(3))
	require.NoError(t, err)
	assert.Equal(t, []string{"web-1", "web-3"}, f.accepted(t, b))
	require.NotNil(t, b.Items[1].Fault)
	assert.Equal(t, set.Code(set.ErrConflict), b.Items[1].Fault.Code)
}

func batchWhole(t *testing.T, f ControllerFixture) {
	req := f.batch(BatchRoom + 1)
	req.AllOrNothing = true
	_, err := f.batches(t).CreateBatch(t.Context(), req)
	require.ErrorIs(t, err, set.ErrNoCapacity)
	assert.Contains(t, err.Error(), "only 10 of 11")
	assert.Empty(t, f.names(t))

	f.create(t, f.request("web-3"))
	req.Count = 4
	_, err = f.batches(t).CreateBatch(t.Context(), req)
	require.ErrorIs(t, err, set.ErrConflict)
	assert.Equal(t, []string{"web-3"}, f.names(t))

	req.CreateRequest.Name = "api"
	b, err := f.batches(t).CreateBatch(t.Context(), req)
	require.NoError(t, err, "what was refused holds nothing")
	assert.Len(t, f.accepted(t, b), 4)
}

func batchNothing(t *testing.T, f ControllerFixture) {
	req := f.batch(3)
	req.Spec.Resources.Memory = 1 << 50
	_, err := f.batches(t).CreateBatch(t.Context(), req)
	require.ErrorIs(t, err, set.ErrNoCapacity)
	req = f.batch(3)
	req.Spec.Containers[0].Image = "missing:1"
	_, err = f.batches(t).CreateBatch(t.Context(), req)
	require.ErrorIs(t, err, set.ErrNotFound)
	assert.Empty(t, f.names(t))
}

func batchIdempotent(t *testing.T, f ControllerFixture) {
	req := f.batch(2 * BatchRoom)
	req.IdempotencyKey = "burst"
	b, err := f.batches(t).CreateBatch(t.Context(), req)
	require.NoError(t, err)
	again, err := f.batches(t).CreateBatch(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, again.Items, len(b.Items))
	for i, item := range again.Items {
		assert.Equal(t, b.Items[i].Name, item.Name)
		assert.Equal(t, b.Items[i].Task == nil, item.Task == nil)
		if item.Task != nil {
			assert.Equal(t, b.Items[i].Task.ID, item.Task.ID)
		}
	}
	req.Count = 1
	_, err = f.batches(t).CreateBatch(t.Context(), req)
	require.ErrorIs(t, err, set.ErrConflict)
	assert.Len(t, f.accepted(t, b), BatchRoom)
}

func batchRace(t *testing.T, f ControllerFixture) {
	req := f.batch(4)
	req.IdempotencyKey = "burst"
	batches := make([]set.Batch, 8)
	inParallel(len(batches), func(i int) {
		var err error
		batches[i], err = f.batches(t).CreateBatch(t.Context(), req)
		assert.NoError(t, err)
	})
	for _, b := range batches {
		require.Len(t, b.Items, 4)
		require.NotNil(t, b.Items[0].Task)
		assert.Equal(t, batches[0].Items[0].Task.ID, b.Items[0].Task.ID)
	}
	f.accepted(t, batches[0])
	assert.Len(t, f.names(t), 4)
}

func batchInvalid(t *testing.T, f ControllerFixture) {
	for field, change := range map[string]func(*set.BatchRequest){
		"count":      func(r *set.BatchRequest) { r.Count = 0 },
		"count: 1":   func(r *set.BatchRequest) { r.Count = set.MaxBatch + 1 },
		"name":       func(r *set.BatchRequest) { r.Name = "Web" },
		"room":       func(r *set.BatchRequest) { r.Name = strings.Repeat("w", 63) },
		"containers": func(r *set.BatchRequest) { r.Spec.Containers = nil },
	} {
		req := f.batch(2)
		change(&req)
		_, err := f.batches(t).CreateBatch(t.Context(), req)
		require.ErrorIs(t, err, set.ErrInvalid, field)
		assert.Contains(t, err.Error(), field)
	}
	assert.Empty(t, f.names(t))
}

func batchReadOnly(t *testing.T, f ControllerFixture) {
	reader, ok := f.ReadOnly.(set.BatchCreator)
	require.True(t, ok)
	_, err := reader.CreateBatch(t.Context(), f.batch(2))
	require.ErrorIs(t, err, set.ErrForbidden)
	assert.Empty(t, f.names(t))
}

func batchesCompete(t *testing.T, f ControllerFixture) {
	batches := make([]set.Batch, 5)
	inParallel(len(batches), func(i int) {
		req := f.batch(4)
		req.Name = numbered(i)
		var err error
		if batches[i], err = f.batches(t).CreateBatch(t.Context(), req); err != nil {
			assert.ErrorIs(t, err, set.ErrNoCapacity)
		}
	})
	accepted := 0
	for _, b := range batches {
		accepted += len(f.accepted(t, b))
	}
	assert.Equal(t, BatchRoom, accepted)
}
