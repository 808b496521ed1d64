package hostnet

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// dumpTries bounds how often a list is read again that changed while the kernel gave it out. On a busy
// host links come and go all the time.
const dumpTries = 50

// dump reads a list of the kernel's until one came whole (NLM_F_DUMP_INTR, netlink(7)).
func dump[T any](read func() ([]T, error)) (list []T, err error) {
	for range dumpTries {
		if list, err = read(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return list, err
		}
	}
	return nil, fmt.Errorf("%w: the machine's links change too fast to be listed, try again: %w", ErrUnavailable, err)
}
