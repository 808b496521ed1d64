// Package openflow speaks as much OpenFlow 1.4 as hostnet needs beside ovs-ofctl: many requests over one
// connection, answered once. So far it flushes tracked connections, with Open vSwitch's extension for that.
package openflow
