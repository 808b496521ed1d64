package ovsdb

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server answers each connection with what handle writes.
func server(t *testing.T, handle func(conn net.Conn, request message)) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				dec := json.NewDecoder(conn)
				for {
					var m message
					if dec.Decode(&m) != nil {
						return
					}
					handle(conn, m)
				}
			}()
		}
	}()
	c := &Client{Path: path}
	t.Cleanup(func() { c.Close(); l.Close() })
	return c
}

func reply(conn net.Conn, m message, result any) {
	b, _ := json.Marshal(map[string]any{"id": m.ID, "result": result, "error": nil})
	conn.Write(b)
}

func TestTransactReturnsSelectedRows(t *testing.T) {
	c := server(t, func(conn net.Conn, m message) {
		reply(conn, m, []any{map[string]any{"rows": []any{map[string]any{"name": "a", "ofport": 7}}}, map[string]any{"count": 1}})
	})
	rows, err := c.Transact(t.Context(), Select("Interface", All(), "name"), Mutate("Open_vSwitch", All(), Mutation("next_cfg", "+=", 1)))
	require.NoError(t, err)
	assert.Equal(t, "a", rows[0][0].Text("name"))
	n, ok := rows[0][0].Int("ofport")
	assert.True(t, ok)
	assert.Equal(t, 7, n)
	assert.Empty(t, rows[1])
}

func TestTransactFailsWhenAnyOperationDoes(t *testing.T) {
	refused := map[string]any{"error": "constraint violation", "details": "no"}
	tests := []struct {
		name    string
		results []any
		index   int
	}{
		{"first, others not run", []any{refused, nil}, 0},
		{"second", []any{map[string]any{}, refused}, 1},
		{"the commit itself", []any{map[string]any{}, map[string]any{}, refused}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := server(t, func(conn net.Conn, m message) { reply(conn, m, tt.results) })
			_, err := c.Transact(t.Context(), Op{"op": "abort"}, Op{"op": "abort"})
			var op *OpError
			require.ErrorAs(t, err, &op)
			assert.Equal(t, tt.index, op.Index)
			assert.Equal(t, "constraint violation", op.Kind)
		})
	}
}

func TestTransactRefusesAShortAnswer(t *testing.T) {
	c := server(t, func(conn net.Conn, m message) { reply(conn, m, []any{map[string]any{}}) })
	_, err := c.Transact(t.Context(), Op{"op": "comment"}, Op{"op": "comment"})
	assert.Error(t, err)
}

func TestLostConnectionFailsPendingCallsAndIsDialledAgain(t *testing.T) {
	var again atomic.Bool
	c := server(t, func(conn net.Conn, m message) {
		if !again.Swap(true) {
			conn.Close()
			return
		}
		reply(conn, m, []any{map[string]any{}})
	})
	_, err := c.Transact(t.Context(), Op{"op": "comment"})
	assert.ErrorIs(t, err, ErrClosed)
	_, err = c.Transact(t.Context(), Op{"op": "comment"})
	assert.NoError(t, err)
}

func TestCallEndsWithItsContext(t *testing.T) {
	c := server(t, func(net.Conn, message) {})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Transact(ctx, Op{"op": "comment"})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestServersEchoIsAnswered(t *testing.T) {
	echoed := make(chan any, 1)
	c := server(t, func(conn net.Conn, m message) {
		if m.Method == "" {
			echoed <- m.ID
			return
		}
		conn.Write([]byte(`{"id":"echo","method":"echo","params":[]}`))
		reply(conn, m, []any{map[string]any{}})
	})
	_, err := c.Transact(t.Context(), Op{"op": "comment"})
	require.NoError(t, err)
	assert.Equal(t, "echo", <-echoed)
}

func TestLockWaitsUntilItIsGranted(t *testing.T) {
	unlocked := make(chan struct{}, 2)
	c := server(t, func(conn net.Conn, m message) {
		switch m.Method {
		case "lock":
			reply(conn, m, map[string]any{"locked": false})
			time.AfterFunc(20*time.Millisecond, func() { conn.Write([]byte(`{"id":null,"method":"locked","params":["it"]}`)) })
		case "unlock":
			unlocked <- struct{}{}
			reply(conn, m, map[string]any{})
		}
	})
	start := time.Now()
	unlock, err := c.Lock(t.Context(), "it")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
	unlock()
	unlock()
	assert.Len(t, unlocked, 1)
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	withdrawn := make(chan struct{}, 1)
	c := server(t, func(conn net.Conn, m message) {
		if m.Method == "unlock" {
			withdrawn <- struct{}{}
		}
		reply(conn, m, map[string]any{"locked": false})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Lock(ctx, "it")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	<-withdrawn
}

func TestRowReadsAllShapes(t *testing.T) {
	var r Row
	require.NoError(t, json.Unmarshal([]byte(`{"one":["uuid","a"],"many":["set",[["uuid","a"],["uuid","b"]]],"none":["set",[]],
		"text":"x","map":["map",[["k","v"]]],"int":5}`), &r))
	assert.Equal(t, []string{"a"}, r.UUIDs("one"))
	assert.Equal(t, []string{"a", "b"}, r.UUIDs("many"))
	assert.Empty(t, r.UUIDs("none"))
	assert.Equal(t, "x", r.Text("text"))
	assert.Equal(t, map[string]string{"k": "v"}, r.Strings("map"))
	_, ok := r.Int("none")
	assert.False(t, ok)
}

// FuzzRow: no answer of a server makes a reader panic.
func FuzzRow(f *testing.F) {
	f.Add([]byte(`{"c":["map",[["k","v"],["k"],3]]}`))
	f.Add([]byte(`{"c":["set",[["uuid"],1,"x"]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Row
		if json.Unmarshal(b, &r) != nil {
			return
		}
		for column := range r {
			r.Int(column)
			r.Text(column)
			r.Strings(column)
			assert.LessOrEqual(t, len(r.UUIDs(column)), len(atoms(r[column])))
		}
	})
}
