// Package openflow speaks as much OpenFlow 1.4 as hostnet needs beside ovs-ofctl: many requests over one
// connection, answered once. It flushes tracked
// connections, with Open vSwitch's extension for that, and sends frames.
package openflow
