package settest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/moset/moset/pkg/set/settest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestControllerKeepsTheContractOfControllers(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture { return settest.NewRegion(t) })
}
