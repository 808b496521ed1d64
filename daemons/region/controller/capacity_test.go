package controller_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
)

// createAll asks for n servers at once and returns what was accepted and what was refused.
func createAll(t *testing.T, c set.Controller, n int) (tasks []set.Task, refused []error) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			task, err := c.Create(t.Context(), request(fmt.Sprintf("web-%d", i)))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused = append(refused, err)
				return
			}
			tasks = append(tasks, task)
		})
	}
	all.Wait()
	return tasks, refused
}

func TestCreatesAtOnceTakeWhatFitsAndNoMore(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 12)
	r.fakes(t, "host-2", 8)
	tasks, refused := createAll(t, r.mine(), 50)
	require.Len(t, tasks, 20)
	require.Len(t, refused, 30)
	for _, err := range refused {
		require.ErrorIs(t, err, set.ErrNoCapacity)
		assert.Regexp(t, `0 of 2 hosts fit: 2 lack `, err.Error())
	}
	for _, task := range tasks {
		done(t, r.mine(), task, nil)
	}
	page, err := r.mine().List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Servers, 20)
	addresses, macs := map[string]bool{}, map[string]bool{}
	for _, s := range page.Servers {
		require.Len(t, s.Addresses, 1)
		addresses[s.Addresses[0].Prefix.String()], macs[s.Addresses[0].MAC] = true, true
	}
	assert.Len(t, addresses, 20, "addresses")
	assert.Len(t, macs, 20, "MACs")
	r.ledgerHolds(t, 20)
	for _, h := range r.Hosts() {
		assert.Equal(t, h.Capacity, h.Used, h.Name)
	}
}

func TestDeletedServersMakeRoom(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 1)
	for range 3 {
		task, err := r.mine().Create(t.Context(), request("web"))
		done(t, r.mine(), task, err)
		task, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
		done(t, r.mine(), task, err)
	}
	r.ledgerHolds(t, 0)
}

func TestRefusalsSayWhyInWords(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*testing.T, *region)
		change  func(*set.CreateRequest)
		is      error
		says    string
	}{
		"no host at all": {is: set.ErrNoCapacity, says: "no host has ever reported to this region: start moset-host"},
		"a host that is not ready": {is: set.ErrNoCapacity, says: "1 is not ready: Docker does not answer",
			prepare: func(t *testing.T, r *region) {
				h := r.reports[0]
				h.Ready, h.Reason = false, "Docker does not answer"
				require.NoError(t, r.Heartbeat(t.Context(), h))
			}},
		"a cordoned host": {is: set.ErrNoCapacity, says: "cordoned",
			prepare: func(t *testing.T, r *region) {
				_, err := r.Cordon(t.Context(), "host-1", true)
				require.NoError(t, err)
			}},
		"a label no host has": {is: set.ErrNoCapacity, says: "disk=ssd", prepare: func(*testing.T, *region) {},
			change: func(q *set.CreateRequest) { q.Spec.HostLabels = map[string]string{"disk": "ssd"} }},
		"too large": {is: set.ErrNoCapacity, says: "lacks memory", prepare: func(*testing.T, *region) {},
			change: func(q *set.CreateRequest) { q.Spec.Resources.Memory = 1 << 40 }},
		"a kind nobody runs": {is: set.ErrInvalid, says: "kind", prepare: func(*testing.T, *region) {},
			change: func(q *set.CreateRequest) { q.Spec.Kind = set.KindVM }},
		"an unknown network": {is: set.ErrNotFound, says: `there is no network "dmz"`, prepare: func(*testing.T, *region) {},
			change: func(q *set.CreateRequest) { q.Spec.Networks = []set.NetworkRequest{{Network: "dmz"}} }},
		"an unknown image": {is: set.ErrNotFound, says: "image missing:1", prepare: func(*testing.T, *region) {},
			change: func(q *set.CreateRequest) { q.Spec.Containers[0].Image = "missing:1" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, nil)
			if c.prepare != nil {
				r.fakes(t, "host-1", 10)
				c.prepare(t, r)
			}
			q := request("web")
			if c.change != nil {
				c.change(&q)
			}
			_, err := r.mine().Create(t.Context(), q)
			require.ErrorIs(t, err, c.is)
			assert.Contains(t, err.Error(), c.says)
			r.ledgerHolds(t, 0)
			_, err = r.mine().Get(t.Context(), "web")
			assert.ErrorIs(t, err, set.ErrNotFound)
		})
	}
}

func TestHostLabelsChooseTheHost(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 10)
	r.fakes(t, "host-2", 10)
	h := r.reports[1]
	h.Labels = map[string]string{"disk": "ssd"}
	require.NoError(t, r.Heartbeat(t.Context(), h))
	q := request("web")
	q.Spec.HostLabels = map[string]string{"disk": "ssd"}
	task, err := r.mine().Create(t.Context(), q)
	done(t, r.mine(), task, err)
	s, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, "host-2", s.Host)
}

func TestUncordonedHostTakesServersAndACordonOutlivesARestart(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 10)
	_, err := r.Cordon(t.Context(), "host-1", true)
	require.NoError(t, err)
	r.reopen(t, nil)
	assert.True(t, r.Hosts()[0].Cordoned)
	_, err = r.mine().Create(t.Context(), request("web"))
	require.ErrorIs(t, err, set.ErrNoCapacity)
	_, err = r.Cordon(t.Context(), "host-1", false)
	require.NoError(t, err)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	_, err = r.Cordon(t.Context(), "host-9", true)
	assert.ErrorIs(t, err, set.ErrNotFound)
}

func TestTwoProjectsHaveTheSameAddressesOnDifferentSegments(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 10)
	theirs := r.For(controller.Caller{ProjectID: "project-2"})
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	task, err = theirs.Create(t.Context(), request("web"))
	done(t, theirs, task, err)
	a, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	b, err := theirs.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, a.Addresses[0].Prefix, b.Addresses[0].Prefix)
	assert.NotEqual(t, a.Addresses[0].Segment, b.Addresses[0].Segment)
	assert.NotEqual(t, a.Addresses[0].MAC, b.Addresses[0].MAC)

	_, err = theirs.Get(t.Context(), a.ID)
	assert.ErrorIs(t, err, set.ErrNotFound)
	seen, err := r.For(controller.Caller{ProjectID: "admins", Admin: true}).Get(t.Context(), a.ID)
	require.NoError(t, err)
	assert.Equal(t, a.ID, seen.ID)
}
