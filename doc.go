// Package moset is the map of the house: pods for OpenStack-style private clouds, as packages anyone
// can embed and small reference daemons that compose them.
//
// Five packages that do not know one another:
//
//   - pkg/set: the pod and its two contracts, Controller (tenant side) and Agent (host side)
//   - pkg/image: images whose every layer is a Glance object with an id and a parent
//   - pkg/hostnet: a veth, an Open vSwitch port, flows and tc for each pod; no Docker networking
//   - pkg/sched: which host gets which pod, and why the others did not
//   - pkg/authn: Keystone tokens on every call
//
// Daemons that compose them:
//
//   - daemons/region: the controller; records, tasks, addresses, scheduling
//   - daemons/host: runs and watches servers on one machine
//   - daemons/registry: docker push and docker pull onto Glance
//   - daemons/allinone: all three in one process, with a Keystone and a Glance of its own
//   - daemons/moset: the command line
//
// # The path of one create
//
// moset server create (daemons/moset/command) posts a set.CreateRequest through setapi.ControllerClient
// with a Keystone token. The region's middleware (pkg/authn) turns the token into an identity, and
// setapi.ControllerHandler hands the request to that caller's view of the controller
// (daemons/region/controller). It validates the spec, asks Glance for each image with the caller's
// token, plans a host (pkg/sched) and reserves name, host, address and task in one transaction of the
// store (daemons/region/store, ipam). The answer is 202 with the task.
//
// Behind the answer the dispatcher applies an Assignment to the host through setapi.AgentClient. The
// host's set.Manager journals it, pulls the images (pkg/image/docker) with the caller's token, has the
// engine (pkg/set/docker) make the infra container and the members, attaches the network
// (pkg/hostnet: flows, then link) and starts the members. Each change travels back through the Watch
// the region holds on the host, into the record and the task, and to the waiting client.
package moset
