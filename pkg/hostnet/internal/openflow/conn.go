package openflow

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Messages of OpenFlow 1.4 (section A.1, ofp_header).
const (
	version        = 5
	headerLength   = 8
	hello          = 0
	failure        = 1
	echoRequest    = 2
	echoReply      = 3
	experimenter   = 4
	packetOut      = 13
	barrierRequest = 20
	barrierReply   = 21
)

// Kinds and codes of failures (section 7.5.4, ofp_error_type and ofp_bad_request_code).
const (
	badRequest      = 1
	badExperimenter = 3
	badExpType      = 4
)

// ErrUnknown says that the switch does not know the kind of request.
var ErrUnknown = errors.New("this switch does not know the request")

// Error is a request the switch refused.
type Error struct {
	Kind, Code uint16
}

// Error names what the protocol calls the failure.
func (e *Error) Error() string {
	return fmt.Sprintf("the switch refused a request: OpenFlow error %d, code %d", e.Kind, e.Code)
}

// Is makes refusals of unknown requests ErrUnknown.
func (e *Error) Is(target error) bool {
	return target == ErrUnknown && e.Kind == badRequest && (e.Code == badExperimenter || e.Code == badExpType)
}

// Request is one message to the switch.
type Request struct {
	kind byte
	body []byte
}

// message is a header and what it is the header of.
func message(kind byte, xid uint32, body []byte) []byte {
	m := append(make([]byte, 0, headerLength+len(body)), version, kind)
	m = binary.BigEndian.AppendUint16(m, uint16(headerLength+len(body)))
	return append(binary.BigEndian.AppendUint32(m, xid), body...)
}

// Do sends requests to the switch that listens at a unix socket and returns when it has carried
// out all of them. The first that it refuses is the error; it tries the others all the same.
func Do(ctx context.Context, socket string, requests ...Request) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := exchange(conn, requests); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return err
	}
	return nil
}

// exchange writes beside reading, so that neither side waits for the other with full buffers.
func exchange(conn net.Conn, requests []Request) error {
	all := message(hello, 0, nil)
	for i, r := range requests {
		all = append(all, message(r.kind, uint32(i+1), r.body)...)
	}
	end := uint32(len(requests) + 1)
	all = append(all, message(barrierRequest, end, nil)...)
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(all)
		written <- err
	}()
	err := answers(conn, end)
	return errors.Join(err, <-written)
}

// answers reads until the barrier is answered. Reading ends with the connection at the latest, so that a
// writer never waits for a reader that left.
func answers(conn net.Conn, end uint32) (refused error) {
	in := bufio.NewReader(conn)
	for {
		kind, xid, body, err := read(in)
		if err != nil {
			conn.Close()
			return errors.Join(refused, err)
		}
		switch {
		case kind == failure && refused == nil:
			refused = refusal(body)
		case kind == echoRequest:
			if _, err := conn.Write(message(echoReply, xid, body)); err != nil {
				return errors.Join(refused, err)
			}
		case kind == barrierReply && xid == end:
			return refused
		}
	}
}

func read(in io.Reader) (kind byte, xid uint32, body []byte, err error) {
	header := make([]byte, headerLength)
	if _, err := io.ReadFull(in, header); err != nil {
		return 0, 0, nil, fmt.Errorf("the switch ended the connection: %w", err)
	}
	length := int(binary.BigEndian.Uint16(header[2:]))
	if length < headerLength {
		return 0, 0, nil, fmt.Errorf("the switch sent a message of %d bytes", length)
	}
	body = make([]byte, length-headerLength)
	if _, err := io.ReadFull(in, body); err != nil {
		return 0, 0, nil, fmt.Errorf("the switch ended the connection: %w", err)
	}
	return header[1], binary.BigEndian.Uint32(header[4:]), body, nil
}

func refusal(body []byte) error {
	if len(body) < 4 {
		return errors.New("the switch refused a request without saying why")
	}
	return &Error{Kind: binary.BigEndian.Uint16(body), Code: binary.BigEndian.Uint16(body[2:])}
}
