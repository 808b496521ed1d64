//go:build !linux

package glance

// acknowledge does nothing: only Linux is known to wait, and to be told not to.
func acknowledge(uintptr) {}
