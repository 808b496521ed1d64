package controller_test

import (
	"testing"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set/settest"
)

func TestControllerKeepsTheContractOfControllers(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture {
		r := newRegion(t, nil)
		f, _ := r.fakes(t, "host-1", 1000)
		return settest.ControllerFixture{Image: "project/app:1", Host: f,
			Mine:     r.mine(),
			Theirs:   r.For(controller.Caller{ProjectID: "project-2", UserID: "user-2"}),
			ReadOnly: r.For(controller.Caller{ProjectID: "project-1", UserID: "user-3", ReadOnly: true})}
	})
}
