// Package process runs a cloud for tests as its users run it: region, registry and hosts are programs of
// their own, in network namespaces if the test says so, on a Keystone and a Glance box in the test's process.
// Each can be killed, stopped and started again on the state it left.
//
//	func TestMain(m *testing.M) { os.Exit(process.Main(m, &programs)) }
//
//	c := process.Start(t, process.Config{Programs: programs, Hosts: []process.Host{{Name: "a"}, {Name: "b"}}})
//	c.PushImages(t)
//	c.Must(t, "demo", "server", "create", "web", "--app", "demo/web:v1")
//	c.Host("a").Kill(t)
//	c.Host("a").Start(t)
//
// It needs root, the Docker Engine at MOSET_TEST_DOCKER and the Open vSwitch in MOSET_TEST_OVS_RUNDIR. What
// becomes true a moment later is awaited for up to Patience. It is no supervisor: a daemon that ends stays
// ended.
package process

import "time"

// Patience is how long the harness waits for what has to come true; machines that run tests may be slow.
const Patience = time.Minute
