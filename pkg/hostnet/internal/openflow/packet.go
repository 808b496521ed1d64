package openflow

import "encoding/binary"

// Numbers of OpenFlow 1.4 that a packet out needs (section 7.3.7, ofp_packet_out).
const (
	noBuffer     = 0xffffffff
	controller   = 0xfffffffd // OFPP_CONTROLLER
	outputAction = 0
	outputLength = 16
)

// PacketOut is the request to put an Ethernet frame out of a port, past all rules.
func PacketOut(port int, frame []byte) Request {
	body := binary.BigEndian.AppendUint32(nil, noBuffer)
	body = binary.BigEndian.AppendUint32(body, controller)
	body = append(binary.BigEndian.AppendUint16(body, outputLength), make([]byte, 6)...)
	body = binary.BigEndian.AppendUint16(body, outputAction)
	body = binary.BigEndian.AppendUint16(body, outputLength)
	body = append(binary.BigEndian.AppendUint32(body, uint32(port)), make([]byte, 8)...)
	return Request{packetOut, append(body, frame...)}
}
