package ovsdb

import (
	"context"
	"fmt"
	"sync"
)

// database is the one Open vSwitch serves.
const database = "Open_vSwitch"

// Client talks to one database server. It is safe for concurrent use and connects when first used.
type Client struct {
	Path string // unix socket

	mu   sync.Mutex
	conn *conn
}

// OpError is an operation the database refused.
type OpError struct {
	Index   int    // of the operation; the number of operations when the commit itself failed
	Kind    string // such as "timed out", "constraint violation" (RFC 7047 section 3.1, <error>)
	Details string
}

// Error names the operation and the database's own reason.
func (e *OpError) Error() string {
	if e.Details == "" {
		return fmt.Sprintf("database operation %d: %s", e.Index, e.Kind)
	}
	return fmt.Sprintf("database operation %d: %s: %s", e.Index, e.Kind, e.Details)
}

// Transact runs all operations or none, and returns the rows that each selected.
func (c *Client) Transact(ctx context.Context, ops ...Op) ([][]Row, error) {
	cn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	params := make([]any, 0, len(ops)+1)
	params = append(params, database)
	for _, op := range ops {
		params = append(params, op)
	}
	var results []*struct {
		Rows    []Row  `json:"rows"`
		Error   string `json:"error"`
		Details string `json:"details"`
	}
	if err := cn.call(ctx, "transact", params, &results); err != nil {
		return nil, err
	}
	rows := make([][]Row, len(ops))
	for i, r := range results {
		if r == nil {
			continue // not run because an earlier one failed
		}
		if r.Error != "" {
			return nil, &OpError{Index: i, Kind: r.Error, Details: r.Details}
		}
		if i < len(ops) {
			rows[i] = r.Rows
		}
	}
	if len(results) < len(ops) {
		return nil, fmt.Errorf("the database answered %d of %d operations", len(results), len(ops))
	}
	return rows, nil
}

// Close ends the connection; a later call opens a new one.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.close()
		c.conn = nil
	}
}

func (c *Client) connect(ctx context.Context) (*conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil && c.conn.alive() {
		return c.conn, nil
	}
	cn, err := dial(ctx, c.Path)
	if err != nil {
		return nil, err
	}
	c.conn = cn
	return cn, nil
}
