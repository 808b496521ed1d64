// Package schedtest holds what every scheduler must keep, and a generator of
// fleets to try one on.
//
//	func TestMine(t *testing.T) {
//		schedtest.Test(t, func(seed uint64) schedtest.Planner { return mine.New(seed) })
//	}
//
// Test hands the scheduler random fleets and batches and checks the plans by
// arithmetic of its own: no host is overcommitted, no set is split, every
// copy is answered for, rules of the set are kept, nothing handed in is
// changed, and the same seed gives the same plan. It does not judge how good
// a plan is.
package schedtest
