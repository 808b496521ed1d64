package openflow

import (
	"encoding/binary"
	"net/netip"
)

// Open vSwitch's extension NXT_CT_FLUSH, since 3.1 (nicira-ext.h).
const (
	nicira  = 0x2320
	ctFlush = 32
)

// Properties of NXT_CT_FLUSH: the connection's first direction, with a source and a destination in it, and the zone.
const (
	original    = 0
	source      = 0
	destination = 1
	zoneID      = 2
)

// FlushFrom is the request to forget the connections an address of a zone began.
func FlushFrom(zone uint16, addr netip.Addr) Request { return flush(zone, source, addr) }

// FlushTo is the request to forget the connections that an address of a zone was called by.
func FlushTo(zone uint16, addr netip.Addr) Request { return flush(zone, destination, addr) }

func flush(zone uint16, end uint16, addr netip.Addr) Request {
	body := binary.BigEndian.AppendUint32(nil, nicira)
	body = binary.BigEndian.AppendUint32(body, ctFlush)
	body = append(body, make([]byte, 8)...) // any protocol
	mapped := addr.As16()                   // IPv4 as ::ffff:a.b.c.d
	body = append(body, property(original, append(make([]byte, 4), property(end, mapped[:])...))...)
	return Request{experimenter, append(body, property(zoneID, append(binary.BigEndian.AppendUint16(nil, zone), 0, 0))...)}
}

// property is a type, the length without padding, and a value, filled up to eight bytes (OpenFlow 1.4, section 7.2.6).
func property(kind uint16, value []byte) []byte {
	p := binary.BigEndian.AppendUint16(nil, kind)
	p = append(binary.BigEndian.AppendUint16(p, uint16(4+len(value))), value...)
	return append(p, make([]byte, (8-len(p)%8)%8)...)
}
