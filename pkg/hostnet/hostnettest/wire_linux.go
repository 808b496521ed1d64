package hostnettest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
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
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
			return err
		}
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

// CountUntil reads frames until one contains the mark last, and counts those before it that contain mark.
// It ends with context.DeadlineExceeded when last does not come in within the time; the count holds then too.
func (w *Wire) CountUntil(mark, last []byte, within time.Duration) (int, error) {
	count := 0
	for end := time.Now().Add(within); ; {
		frame, err := w.receive(end)
		switch {
		case err != nil:
			return count, err
		case bytes.Contains(frame, last):
			return count, nil
		case bytes.Contains(frame, mark):
			count++
		}
	}
}

// receive returns the next frame that came in, as it was on the wire.
func (w *Wire) receive(end time.Time) ([]byte, error) {
	buf, aside := make([]byte, 1<<16), make([]byte, 128)
	for {
		left := time.Until(end)
		if left <= 0 {
			return nil, context.DeadlineExceeded
		}
		tv := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds()) // 0 would wait for ever
		if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			return nil, err
		}
		n, m, _, from, err := unix.Recvmsg(w.fd, buf, aside, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype != unix.PACKET_OUTGOING {
			return retag(buf[:n], aside[:m])
		}
	}
}

// retag puts a VLAN tag back that the kernel took off and tells about aside (packet(7), PACKET_AUXDATA).
func retag(frame, aside []byte) ([]byte, error) {
	messages, err := unix.ParseSocketControlMessage(aside)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < 20 {
			continue
		}
		status, tci := binary.NativeEndian.Uint32(m.Data), binary.NativeEndian.Uint16(m.Data[16:])
		if status&unix.TP_STATUS_VLAN_VALID != 0 {
			return VLANFrame(frame, tci), nil
		}
	}
	return frame, nil
}

// Close closes the socket.
func (w *Wire) Close() error {
	if w.fd < 0 {
		return nil
	}
	return unix.Close(w.fd)
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }
