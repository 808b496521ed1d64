// Package sched finds hosts for sets (and VMs): it looks at every host, takes
// the best one exactly, and says in plain words why the others would not do.
// It is made to be embedded: standard library only, and a policy of values with
// two methods.
//
//	s := sched.New(sched.Config{})
//	plan, err := s.Plan(ctx, snapshot, sched.Batch{
//		Set: sched.Set{ID: "web", Need: sched.Vector{sched.CPU: 500, sched.Memory: 1 << 30}},
//		N:   3,
//	})
//
// A Plan is a proposal. It follows from the Snapshot, the Batch and the Seed
// alone, on every machine. Each Claim in it says what one copy takes from
// which host; a set is never split. Where nothing fits the error is ErrNoFit,
// and reads like "plan web: 0 of 3 hosts fit: 2 lack memory (4 GiB needed, at
// most 1 GiB free), 1 is cordoned".
//
// # Policy
//
// A Filter says which hosts will do, a Scorer which is better; Config lists
// them and New puts them together. Whatever the list, resources and addresses
// are always checked, so no policy can overcommit a host. A plug-in that
// panics or returns NaN ends the plan with ErrPlugin and its name.
//
// What the built-in plug-ins say of a host is kept until the host changes, for
// all sets that are alike, so that a plan on the snapshots of a Ledger looks
// at few hosts. A plug-in of somebody else is asked about every host for every
// copy, unless it promises by Dependent that it looks at nothing but the host,
// or has nothing to say (Prefilter).
//
// A scheduler that shares nothing with this one is any value with the method
// Plan; package schedtest has the properties it must keep.
//
// # Commit
//
// A Ledger keeps hosts and claims in memory and commits plans: by fit, so that
// several schedulers may plan on the same snapshot at once, and once only for
// each set id, so that a commit may be repeated. Claims with a TTL are
// reservations. Schedulers with a Shard each seldom want the same host.
//
// # Proposals
//
// Forecast counts how many more copies of a set would fit, Victims names the
// sets of a lower priority to stop so that one fits, and Drain says where the
// sets of a host would go. They are as pure as Plan, which is a dry run as long
// as nobody commits it.
//
// # What it does not do
//
// It neither stops nor moves sets by itself, and stores nothing on disk.
package sched
