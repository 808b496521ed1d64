package set_test

import (
	"testing"

	"github.com/moset/moset/pkg/set/settest"
)

func TestManagerKeepsTheContractOfAgents(t *testing.T) {
	settest.TestAgent(t, func(t *testing.T) settest.AgentFixture {
		f := settest.NewFakes()
		return settest.AgentFixture{Agent: settest.NewManager(t, f), Host: f}
	})
}
