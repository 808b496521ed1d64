package hostnet

import (
	"context"
	"fmt"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
)

// Raise implements Uplinks.
func (k *kernelLinks) Raise(_ context.Context, name string) (Link, error) {
	link, err := k.host.LinkByName(name)
	if gone(err) {
		return Link{}, fmt.Errorf("%w: this machine has no link %s to use as an uplink; ip link lists what it has", ErrNotFound, name)
	}
	if err != nil {
		return Link{}, fmt.Errorf("uplink %s: %w", name, explainErrno(err))
	}
	attrs := link.Attrs()
	if err := k.checkFree(attrs); err != nil {
		return Link{}, err
	}
	if !k.offload {
		if err := wholeFrames(name); err != nil {
			return Link{}, err
		}
	}
	if err := k.host.LinkSetUp(link); err != nil {
		return Link{}, fmt.Errorf("uplink %s up: %w", name, explainErrno(err))
	}
	return Link{Name: name, Index: attrs.Index, Up: attrs.OperState == netlink.OperUp}, nil
}

// checkFree refuses a link that is part of a bridge or bond; on the kernel's datapath ours has a master too.
func (k *kernelLinks) checkFree(attrs *netlink.LinkAttrs) error {
	if attrs.MasterIndex == 0 {
		return nil
	}
	master, err := k.host.LinkByIndex(attrs.MasterIndex)
	if err != nil {
		return fmt.Errorf("uplink %s: its bridge or bond: %w", attrs.Name, explainErrno(err))
	}
	if k.offload && master.Type() == "openvswitch" {
		return nil // whose bridge it is on, the database knows
	}
	return fmt.Errorf("%w: %s is part of %s; choose another uplink or take it out (ip link set %s nomaster)", ErrConflict, attrs.Name, master.Attrs().Name, attrs.Name)
}

// wholeFrames turns off, as far as the device can, what would hand the userspace datapath several frames as
// one, or make frames of it that the wire cannot carry.
func wholeFrames(name string) error {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return fmt.Errorf("ethtool: %w", explainErrno(err))
	}
	defer e.Close()
	has, err := e.FeaturesWithState(name)
	if err != nil {
		return fmt.Errorf("offload of uplink %s: %w", name, explainErrno(err))
	}
	off := map[string]bool{}
	for _, feature := range []string{"rx-gro", "rx-lro", "rx-gro-hw", "tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-generic-segmentation"} {
		if s := has[feature]; s.Available && s.Active && !s.NeverChanged {
			off[feature] = false
		}
	}
	if len(off) == 0 {
		return nil
	}
	if err := e.Change(name, off); err != nil {
		return fmt.Errorf("offload off on uplink %s: %w", name, explainErrno(err))
	}
	return nil
}
