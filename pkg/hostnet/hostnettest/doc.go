// Package hostnettest helps to test what is built on hostnet: fakes for its seams, so that tests need
// no root, and for tests against the real thing a private Open vSwitch, network namespaces, and probes
// that run inside them. Nothing here shells out to ip or touches an Open vSwitch the machine already runs.
package hostnettest
