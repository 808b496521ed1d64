package settest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// NewRegion starts a Controller over a new Manager on new fakes, both closed by the test's end.
func NewRegion(t testing.TB) ControllerFixture {
	t.Helper()
	f := NewFakes()
	c := NewController(NewManager(t, f))
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return ControllerFixture{Mine: c.For("project-1", false), Theirs: c.For("project-2", false), ReadOnly: c.For("project-1", true),
		Image: "project/app:1", Host: f}
}
