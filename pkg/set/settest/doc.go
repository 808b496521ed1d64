// Package settest stands in for what a set.Manager needs from a host, and holds the suites that every
// set.Agent and every set.Controller passes, in process or over HTTP.
//
//   - [Fakes] are an Engine, Images, a Network and a Journal in memory. They count, delay, block or fail
//     calls as told through their [Knobs], and [Fakes.Left] says what a server left behind.
//   - [TestAgent] and [TestController] are the contract suites.
//   - [Controller] is a small region in memory over one Agent.
//
// An implementation runs a suite in a few lines:
//
//	func TestContract(t *testing.T) {
//		settest.TestAgent(t, func(t *testing.T) settest.AgentFixture {
//			f := settest.NewFakes()
//			return settest.AgentFixture{Agent: settest.NewManager(t, f), Host: f}
//		})
//	}
//
// The fakes run no processes and move no packets; what the real engine and network do is tested with them.
package settest
