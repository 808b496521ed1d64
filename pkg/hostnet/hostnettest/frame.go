package hostnettest

import (
	"encoding/binary"
	"net"
	"net/netip"
)

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

// RouterAdvertFrame is an IPv6 router advertisement (RFC 4861 section 4.2) that offers its sender as a
// router for half an hour, with the payload in an option of an experimental type (RFC 4727).
func RouterAdvertFrame(srcMAC, dstMAC net.HardwareAddr, payload []byte) []byte {
	option := append([]byte{253, byte((2 + len(payload) + 7) / 8)}, payload...)
	option = append(option, make([]byte, int(option[1])*8-len(option))...)
	advert := append([]byte{134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0}, option...)
	src := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: srcMAC[0] ^ 2, srcMAC[1], srcMAC[2], 0xff, 0xfe, srcMAC[3], srcMAC[4], srcMAC[5]})
	addrs := append(src.AsSlice(), netip.IPv6LinkLocalAllNodes().AsSlice()...)
	pseudo := append(binary.BigEndian.AppendUint32(append([]byte{}, addrs...), uint32(len(advert))), 0, 0, 0, 58)
	binary.BigEndian.PutUint16(advert[2:], checksum(append(pseudo, advert...)))
	header := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(advert)))
	header = append(append(header, 58, 255), addrs...)
	return append(append(ethernet(srcMAC, dstMAC, 0x86dd), header...), advert...)
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
