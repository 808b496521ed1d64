// Package sim replays requests for sets on a fleet of hosts, to compare scheduling policies before one is chosen.
//
//	hosts, err := sim.ReadHosts(f)
//	requests, err := sim.ReadRequests(g)
//	planner, err := sim.Policy("thrift", 1)
//	result, err := sim.Run(ctx, sim.Trial{Hosts: hosts, Requests: requests, Planner: planner})
//
// Every policy, the simple ones made for comparison included, plans on the snapshots of a sched.Ledger and
// commits to it, so that they differ in their choice of a host and in nothing else. Generate makes fleets and
// requests from a seed.
//
// Time is that of the requests: nothing waits, a set is placed at once or never, and no set moves.
package sim
