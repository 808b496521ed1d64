package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// small is a set of one container.
var small = []string{"--app", "web=demo/web:v1", "--memory", "64Mi"}

func TestABatchRunsAndIsReached(t *testing.T) {
	friend := shared.newOutsider(t, "demo", "friend-burst")
	before := shared.footprint(t)
	out := shared.must(t, "demo", append([]string{"server", "create", "burst", "--count", "3"}, small...)...)
	assert.Contains(t, out, "3 of 3 done")
	for _, name := range []string{"burst-1", "burst-2", "burst-3"} {
		shared.created = append(shared.created, shared.show(t, name).ID)
		assert.Contains(t, friend.page(t, "http://"+shared.address(t, "demo", name)+"/"), name)
	}
	says := shared.fails(t, 5, "demo", append([]string{"server", "create", "burst", "--count", "4"}, small...)...)
	assert.Contains(t, says, "burst-1: ")
	assert.Contains(t, says, "(and 2 more)", "the fourth was created")
	shared.must(t, "demo", "server", "delete", "burst-1", "burst-2", "burst-3", "burst-4")
	shared.leavesNothing(t, before)
}

func TestAServiceScalesOutAndIn(t *testing.T) {
	before := shared.footprint(t)
	replicas := func(want string) {
		t.Helper()
		assert.Equal(t, want, strings.TrimSpace(shared.must(t, "demo", "service", "show", "lunch", "--format", "{{.running}} of {{.replicas}}")))
	}
	shared.must(t, "demo", append([]string{"service", "create", "lunch"}, small...)...)
	replicas("1 of 1")
	shared.must(t, "demo", "service", "scale", "lunch", "--replicas", "3")
	replicas("3 of 3")
	assert.Contains(t, shared.must(t, "demo", "service", "list"), "3/3")
	for _, name := range []string{"lunch-1", "lunch-2", "lunch-3"} {
		shared.created = append(shared.created, shared.show(t, name).ID)
	}
	shared.must(t, "demo", "service", "scale", "lunch", "--replicas", "1")
	replicas("1 of 1")
	assert.Equal(t, []string{"lunch-1"}, shared.serverNames(t, "demo"))
	shared.must(t, "demo", "service", "delete", "lunch")
	shared.leavesNothing(t, before)
}
