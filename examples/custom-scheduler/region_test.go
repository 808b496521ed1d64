package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

// anyImage resolves every image.
type anyImage struct{}

func (anyImage) Resolve(_ context.Context, ref string, _ controller.Caller) (set.Image, error) {
	return set.Image{Ref: "project/" + ref, Digest: settest.Digest("a"), Size: 1}, nil
}

// newRegion is a region on the custom scheduler, with a large and a small host of fakes.
func newRegion(t *testing.T) *controller.Controller {
	t.Helper()
	agents := map[string]set.Agent{}
	db := memory.New()
	region, err := controller.New(t.Context(), controller.Config{Store: db, Networks: ipam.New(ipam.Config{Store: db}), Images: anyImage{}, Planner: emptiest{},
		Dial: func(h controller.Host) (set.Agent, error) { return agents[h.Name], nil }})
	require.NoError(t, err)
	for name, gib := range map[string]set.Bytes{"large": 4 << 30, "small": 2 << 30} {
		m, err := set.NewManager(settest.NewFakes().Config())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, region.Close()); assert.NoError(t, m.Close()) })
		agents[name] = m
		require.NoError(t, region.Heartbeat(t.Context(), controller.HostReport{Name: name, URL: "http://" + name, Ready: true,
			Capacity: set.Resources{CPU: 8000, Memory: gib, Pids: 10000}}))
	}
	return region
}

func TestARegionPlacesByTheCustomScheduler(t *testing.T) {
	region := newRegion(t)
	mine := region.For(controller.Caller{ProjectID: "p", UserID: "u"})
	req := set.CreateRequest{Name: "web", Spec: set.Spec{Containers: []set.Container{{Name: "app", Image: "app:1"}}, Resources: set.Resources{CPU: 500, Memory: 1 << 30}}}

	batch, err := mine.(set.BatchCreator).CreateBatch(t.Context(), set.BatchRequest{CreateRequest: req, Count: 8})
	require.NoError(t, err)
	var hosts []string
	for i, item := range batch.Items {
		if i >= 6 { // 4 GiB and 2 GiB are 6 sets of 1 GiB
			require.NotNil(t, item.Fault)
			assert.Equal(t, set.Code(set.ErrNoCapacity), item.Fault.Code)
			continue
		}
		require.NotNil(t, item.Task)
		_, err := set.Wait(t.Context(), mine.(set.TaskReader), item.Task.ID, nil)
		require.NoError(t, err)
		s, err := mine.Get(t.Context(), item.Name)
		require.NoError(t, err)
		hosts = append(hosts, s.Host)
	}
	assert.Equal(t, []string{"large", "large", "large", "small", "large", "small"}, hosts, "always the one with the most free memory")
}
