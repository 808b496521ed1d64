package hostnet

import (
	"fmt"

	"github.com/safchain/ethtool"
)

// offloadOff makes both ends compute checksums themselves. The userspace datapath sees packets before any
// hardware would, and drops TCP whose checksum is still missing; ping would work and TCP would hang.
func offloadOff(spec LinkSpec, ns *space) error {
	var inside *ethtool.Ethtool
	err := ns.do(func() (err error) {
		inside, err = ethtool.NewEthtool() // its socket stays in the namespace it was made in
		return err
	})
	if err != nil {
		return fmt.Errorf("ethtool in the namespace: %w", explainErrno(err))
	}
	defer inside.Close()
	if err := turnOff(inside, spec.IfName); err != nil {
		return err
	}
	outside, err := ethtool.NewEthtool()
	if err != nil {
		return fmt.Errorf("ethtool: %w", explainErrno(err))
	}
	defer outside.Close()
	return turnOff(outside, spec.HostIf)
}

func turnOff(e *ethtool.Ethtool, name string) error {
	off := map[string]bool{"tx-checksum-ip-generic": false, "tx-tcp-segmentation": false, "tx-tcp6-segmentation": false, "tx-generic-segmentation": false}
	if err := e.Change(name, off); err != nil {
		return fmt.Errorf("checksum offload off on %s: %w", name, explainErrno(err))
	}
	return nil
}
