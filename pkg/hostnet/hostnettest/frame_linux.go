package hostnettest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Wire is a raw Ethernet socket on one interface inside a namespace: it can send what no honest stack would.
type Wire struct {
	fd    int
	index int
}

// OpenWire opens one. The caller closes it.
func OpenWire(nsPath, ifName string) (*Wire, error) {
	w := &Wire{fd: -1}
	err := InNetNS(nsPath, func() error {
		iface, err := net.InterfaceByName(ifName)
		if err != nil {
			return err
		}
		all := int(htons(unix.ETH_P_ALL))
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
		if err != nil {
			return err
		}
		w.fd, w.index = fd, iface.Index
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: iface.Index})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("raw socket on %s: %w", ifName, err), w.Close())
	}
	return w, nil
}

// Send puts a frame, Ethernet header included, on the wire.
func (w *Wire) Send(frame []byte) error {
	return unix.Sendto(w.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: w.index})
}

// Await tells whether a frame that contains the mark comes in within the time.
func (w *Wire) Await(mark []byte, within time.Duration) (bool, error) {
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(within); ; {
		left := time.Until(end)
		if left <= 0 {
			return false, nil
		}
		tv := unix.NsecToTimeval(left.Nanoseconds())
		if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			return false, err
		}
		n, from, err := unix.Recvfrom(w.fd, buf, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return false, err
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype != unix.PACKET_OUTGOING && contains(buf[:n], mark) {
			return true, nil
		}
	}
}

// Close closes the socket.
func (w *Wire) Close() error {
	if w.fd < 0 {
		return nil
	}
	return unix.Close(w.fd)
}

func contains(frame, mark []byte) bool {
	for i := 0; i+len(mark) <= len(frame); i++ {
		if string(frame[i:i+len(mark)]) == string(mark) {
			return true
		}
	}
	return false
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// UDPFrame is an Ethernet frame with an IPv4 UDP packet in it, checksums right.
func UDPFrame(srcMAC, dstMAC net.HardwareAddr, src, dst netip.AddrPort, payload []byte) []byte {
	b := ethernet(srcMAC, dstMAC, 0x0800)
	ip := make([]byte, 20, 28+len(payload))
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	udp := make([]byte, 8)
	binary.BigEndian.PutUint16(udp[0:], src.Port())
	binary.BigEndian.PutUint16(udp[2:], dst.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(8+len(payload))) // checksum 0: none, RFC 768
	return append(append(append(b, ip...), udp...), payload...)
}

// ARPFrame is an ARP packet: op 1 asks, 2 answers (RFC 826).
func ARPFrame(op uint16, etherSrc, etherDst, sender net.HardwareAddr, senderIP netip.Addr, target net.HardwareAddr, targetIP netip.Addr) []byte {
	b := append(ethernet(etherSrc, etherDst, 0x0806), 0, 1, 8, 0, 6, 4)
	b = binary.BigEndian.AppendUint16(b, op)
	b = append(append(b, sender...), senderIP.AsSlice()...)
	return append(append(b, target...), targetIP.AsSlice()...)
}

// VLANFrame tags a frame with a VLAN, 802.1Q.
func VLANFrame(frame []byte, vlan uint16) []byte {
	tagged := append([]byte{}, frame[:12]...)
	tagged = binary.BigEndian.AppendUint16(tagged, 0x8100)
	tagged = binary.BigEndian.AppendUint16(tagged, vlan)
	return append(tagged, frame[12:]...)
}

func ethernet(src, dst net.HardwareAddr, etherType uint16) []byte {
	b := append(append([]byte{}, dst...), src...)
	return binary.BigEndian.AppendUint16(b, etherType)
}
