package hostnet

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// offloadOff makes both ends compute checksums themselves. The userspace datapath sees packets before any
// hardware would, and drops TCP whose checksum is still missing; ping would work and TCP would hang.
func offloadOff(spec LinkSpec, ns *space) error {
	err := ns.do(func() error { return turnOff(spec.IfName) }) // its socket must be made in the namespace
	if err != nil {
		return err
	}
	return turnOff(spec.HostIf)
}

// turnOff does it for a device of the thread's namespace; without checksums the kernel gives up TCP segmentation
// by itself. Two old commands cost less than turning features off by name, which reads all names first.
func turnOff(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("checksum offload off on %s: %w", name, explainErrno(err))
	}
	defer unix.Close(fd)
	for _, command := range []uint32{unix.ETHTOOL_STXCSUM, unix.ETHTOOL_SGSO} {
		if err := setOff(fd, name, command); err != nil {
			return fmt.Errorf("checksum offload off on %s: %w", name, explainErrno(err))
		}
	}
	return nil
}

// ethtoolRequest is a struct ifreq (netdevice(7)) whose data is for SIOCETHTOOL.
type ethtoolRequest struct {
	name  [unix.IFNAMSIZ]byte
	value *ethtoolValue
	_     [16]byte // the union has longer members
}

// ethtoolValue is struct ethtool_value of linux/ethtool.h.
type ethtoolValue struct{ command, value uint32 }

// setOff sets the feature of one ethtool command to 0.
func setOff(fd int, name string, command uint32) error {
	req := ethtoolRequest{value: &ethtoolValue{command: command}}
	copy(req.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
	if errno != 0 {
		return errno
	}
	return nil
}
