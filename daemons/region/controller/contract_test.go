package controller_test

import (
	"testing"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set/settest"
)

// fixture is a region with one host that has room for so many small servers.
func fixture(t *testing.T, room int) settest.ControllerFixture {
	r := newRegion(t, nil)
	f, _ := r.fakes(t, "host-1", room)
	return settest.ControllerFixture{Image: "project/app:1", Host: f,
		Mine:     r.mine(),
		Theirs:   r.For(controller.Caller{ProjectID: "project-2", UserID: "user-2"}),
		ReadOnly: r.For(controller.Caller{ProjectID: "project-1", UserID: "user-3", ReadOnly: true})}
}

func TestControllerKeepsTheContractOfControllers(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture { return fixture(t, 1000) })
}

func TestControllerKeepsTheContractOfBatches(t *testing.T) {
	settest.TestBatches(t, func(t *testing.T) settest.ControllerFixture { return fixture(t, settest.BatchRoom) })
}

func TestControllerKeepsTheContractOfServices(t *testing.T) {
	settest.TestServices(t, func(t *testing.T) settest.ControllerFixture { return fixture(t, settest.BatchRoom) })
}
