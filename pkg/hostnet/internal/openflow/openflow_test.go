package openflow

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bodies that ovs-ofctl 3.1 sends for ct-flush zone=5 ct_nw_src=10.0.0.9, and ct_nw_dst.
func TestFlushIsWhatOvsOfctlSends(t *testing.T) {
	const from = "0000232000000020" + "0000000000000000" + "0000002000000000" + "00000014" + "00000000000000000000ffff0a000009" + "00000000" + "0002000800050000"
	addr := netip.MustParseAddr("10.0.0.9")
	assert.Equal(t, from, hex.EncodeToString(FlushFrom(5, addr).body))
	assert.NotEqual(t, FlushFrom(5, addr), FlushTo(5, addr))
}

// any8 is some request.
var any8 = Request{experimenter, make([]byte, 8)}

// serve plays a switch for one connection: it answers the barrier, and before that what answer says.
func serve(t *testing.T, answer func(requests int) []byte) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "br.mgmt")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for requests := 0; ; {
			kind, xid, _, err := read(conn)
			if err != nil {
				return
			}
			switch kind {
			case experimenter:
				requests++
			case barrierRequest:
				conn.Write(append(answer(requests), message(barrierReply, xid, nil)...))
			}
		}
	}()
	return socket
}

func TestDoReturnsWhenAllIsDone(t *testing.T) {
	got := 0
	socket := serve(t, func(n int) []byte { got = n; return message(hello, 0, nil) })
	require.NoError(t, Do(t.Context(), socket, any8, any8, any8))
	assert.Equal(t, 3, got)
}

func TestDoGivesTheRefusal(t *testing.T) {
	refuse := func(kind, code uint16) func(int) []byte {
		body := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, kind), code)
		return func(int) []byte { return message(failure, 1, body) }
	}
	err := Do(t.Context(), serve(t, refuse(badRequest, badExpType)), any8)
	assert.ErrorIs(t, err, ErrUnknown)
	err = Do(t.Context(), serve(t, refuse(badRequest, 6)), any8)
	assert.NotErrorIs(t, err, ErrUnknown)
	assert.ErrorContains(t, err, "error 1, code 6")
	assert.Error(t, Do(t.Context(), serve(t, func(int) []byte { return message(failure, 1, nil) }), any8))
}

func TestDoEndsWithTheConnection(t *testing.T) {
	for name, answer := range map[string][]byte{"short": {version, hello, 0, 4, 0, 0, 0, 0}, "cut": {version, hello, 0, 99, 0, 0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				go io.Copy(io.Discard, theirs)
				theirs.Write(answer)
				theirs.Close()
			}()
			assert.Error(t, exchange(ours, nil))
		})
	}
	assert.Error(t, Do(t.Context(), filepath.Join(t.TempDir(), "nobody")))
}

func TestDoEndsWithItsContext(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "br.mgmt")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close() // nobody answers
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, Do(ctx, socket), context.Canceled)
}
