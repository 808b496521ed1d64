package hostnet

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
)

// announce tells switches between machines where MACs are now, after a move from another machine: they learn
// from the senders of frames, and a port that waits for callers sends none. Our own bridges learn nothing and
// need no such frame. One that gets lost costs time only, so a failure is no reason to fail the ports.
func (b *batch) announce(ctx context.Context) {
	if b.table.uplink == nil || b.table.uplink.row.OFPort <= 0 {
		return
	}
	var frames [][]byte
	for _, s := range b.good(create) {
		for _, a := range s.spec.Addrs {
			frames = append(frames, gratuitousARP(s.spec.Tenant, s.spec.MAC, a.Addr()))
		}
	}
	if len(frames) == 0 {
		return
	}
	if err := b.h.parts.Flows.Send(ctx, b.table.uplink.row.OFPort, frames...); err != nil {
		b.h.log.Warn("could not announce new ports on the uplink; others may take a while to find them", "err", err)
	}
}

// gratuitousARP is a frame to all, with the tenant's tag, in which an address asks for itself (RFC 5944, section 4.6).
func gratuitousARP(tenant Tenant, mac net.HardwareAddr, addr netip.Addr) []byte {
	b := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, mac...)
	b = binary.BigEndian.AppendUint16(append(b, 0x81, 0), uint16(tenant))
	b = append(b, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1)
	b = append(append(b, mac...), addr.AsSlice()...)
	b = append(append(b, make([]byte, 6)...), addr.AsSlice()...)
	return append(b, make([]byte, 64-len(b))...) // the shortest frame there is, with a tag
}
