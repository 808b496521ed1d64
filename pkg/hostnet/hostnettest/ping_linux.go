package hostnettest

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// Ping sends ICMP echo requests from inside a namespace until one is answered or ctx ends.
func Ping(ctx context.Context, nsPath string, to netip.Addr) error {
	var conn net.PacketConn
	err := InNetNS(nsPath, func() (err error) {
		conn, err = net.ListenPacket("ip4:icmp", "0.0.0.0")
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	id := uint16(os.Getpid())
	for seq := uint16(1); ctx.Err() == nil; seq++ {
		if _, err := conn.WriteTo(echo(id, seq), &net.IPAddr{IP: to.AsSlice()}); err != nil {
			time.Sleep(20 * time.Millisecond) // nobody answers ARP yet, or no route
			continue
		}
		if answered(ctx, conn, to, id) {
			return nil
		}
	}
	return fmt.Errorf("no answer from %s to ping: %w", to, ctx.Err())
}

// echo is an ICMP echo request, RFC 792.
func echo(id, seq uint16) []byte {
	b := make([]byte, 16)
	b[0] = 8
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// answered reads for a short while, until an echo reply from the address comes.
func answered(ctx context.Context, conn net.PacketConn, from netip.Addr, id uint16) bool {
	until := time.Now().Add(200 * time.Millisecond)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	conn.SetReadDeadline(until)
	buf := make([]byte, 1500)
	for {
		n, peer, err := conn.ReadFrom(buf)
		if err != nil {
			return false
		}
		if n >= 8 && buf[0] == 0 && binary.BigEndian.Uint16(buf[4:]) == id && peer.String() == from.String() {
			return true
		}
	}
}

// checksum is the Internet checksum, RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
