// Package ovsdb speaks as much of the Open vSwitch database protocol (RFC 7047) as hostnet needs:
// transactions whose every operation is checked, waits that block in the server, and the server's locks.
// A lost connection is dialled again by the next call.
package ovsdb
