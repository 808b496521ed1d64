// Package set is the pod of an OpenStack-style cloud: several containers that share network, IPC and
// volumes on one host, are never split, and are one unit of scheduling and scaling.
//
// It holds two contracts and the logic between them.
//
//   - [Controller] is the tenant side: Create, Get, List, Act and Delete on [Server] records. Every
//     mutation returns a [Task].
//   - [Agent] is the host side: Apply an [Assignment], Observe, Watch, Remove.
//
// A [Server] has two halves with one writer each: Desired is the region's, Observed is the host's. The
// region raises Generation with every change of what it wants and Epoch each time it gives the server
// to a host; a host refuses an older epoch with [ErrStaleEpoch], so two hosts never both own a server.
//
// [Manager] implements Agent: it brings each server from what is to what should be through four
// seams, [Engine], [Images], [Network] and [Journal]. The Docker engine is in set/docker; a VM driver
// is another Engine. Package set/setapi carries both contracts over HTTP, and set/settest has fakes and
// the suites that every implementation passes, in process or over HTTP.
//
// A host is a Manager over an engine, an image source and a network; what it is told it journals first:
//
//	manager, err := set.NewManager(set.ManagerConfig{Engine: engine, Images: images, Network: network, Journal: journal})
//	...
//	_, err = manager.Apply(ctx, assignment) // durable when it returns; the work goes on behind it
//	for o, err := range manager.Watch(ctx) {
//		fmt.Println(o.ServerID, o.State) // preparing, creating, starting, running
//	}
//
// The package uses the standard library only and talks to no daemon itself. It does not schedule, does
// not assign addresses and does not check tokens: that is the region's work.
package set
