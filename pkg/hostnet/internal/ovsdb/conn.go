package ovsdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// ErrClosed is what pending calls get when the server goes away.
var ErrClosed = errors.New("the connection to the database was closed")

// message is any JSON-RPC 1.0 message; requests have a method, answers have none.
type message struct {
	ID     any             `json:"id"`
	Method string          `json:"method,omitempty"`
	Params any             `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  any             `json:"error,omitempty"`
}

// conn is one connection: one reader, many callers.
type conn struct {
	net  net.Conn
	gone chan struct{} // closed when the reader ends

	write sync.Mutex

	mu      sync.Mutex
	next    int
	pending map[int]chan message
	granted map[string]chan struct{} // locks waited for, by name
}

func dial(ctx context.Context, path string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	cn := &conn{net: c, gone: make(chan struct{}), pending: map[int]chan message{}, granted: map[string]chan struct{}{}}
	go cn.read()
	return cn, nil
}

// read hands answers to their callers until the connection ends.
func (c *conn) read() {
	defer close(c.gone)
	defer c.net.Close()
	dec := json.NewDecoder(c.net)
	for {
		var m message
		if err := dec.Decode(&m); err != nil {
			return
		}
		switch m.Method {
		case "":
			c.answer(m)
		case "echo":
			if c.send(map[string]any{"id": m.ID, "result": m.Params, "error": nil}) != nil {
				return
			}
		case "locked":
			c.lockGranted(m.Params)
		}
	}
}

func (c *conn) answer(m message) {
	id, _ := m.ID.(float64)
	c.mu.Lock()
	waiting := c.pending[int(id)]
	delete(c.pending, int(id))
	c.mu.Unlock()
	if waiting != nil {
		waiting <- m
	}
}

func (c *conn) lockGranted(params any) {
	names, _ := params.([]any)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		name, _ := n.(string)
		if waiting := c.granted[name]; waiting != nil {
			close(waiting)
			delete(c.granted, name)
		}
	}
}

func (c *conn) send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.write.Lock()
	defer c.write.Unlock()
	_, err = c.net.Write(b)
	return err
}

// call sends a request and decodes the answer into result.
func (c *conn) call(ctx context.Context, method string, params, result any) error {
	answer := make(chan message, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	c.pending[id] = answer
	c.mu.Unlock()
	defer c.forget(id)
	if err := c.send(map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("the database refused %s: %v", method, m.Error)
		}
		return json.Unmarshal(m.Result, result)
	case <-c.gone:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *conn) forget(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

func (c *conn) alive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

func (c *conn) close() {
	c.net.Close()
	<-c.gone
}
