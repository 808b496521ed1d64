package setapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/moset/moset/pkg/set"
)

// AgentClient is a set.Agent on the other end of HTTP.
type AgentClient struct{ c client }

var _ set.Agent = (*AgentClient)(nil)

// NewAgentClient returns the Agent served at cfg.URL. cfg.HTTP must have no overall Timeout, or Watch ends with it.
func NewAgentClient(cfg ClientConfig) *AgentClient { return &AgentClient{newClient(cfg)} }

// Apply implements set.Agent.
func (c *AgentClient) Apply(ctx context.Context, a set.Assignment) (set.Observation, error) {
	return call[set.Observation](ctx, c.c, request{method: http.MethodPut, path: "/v1/assignments/" + url.PathEscape(a.ServerID), body: a})
}

// Observe implements set.Agent.
func (c *AgentClient) Observe(ctx context.Context, ids ...string) ([]set.Observation, error) {
	return call[[]set.Observation](ctx, c.c, request{method: http.MethodGet, path: "/v1/assignments?" + url.Values{"id": ids}.Encode()})
}

// Remove implements set.Agent.
func (c *AgentClient) Remove(ctx context.Context, r set.Removal) (set.Observation, error) {
	path := "/v1/assignments/" + url.PathEscape(r.ServerID) + "?epoch=" + strconv.FormatUint(r.Epoch, 10)
	return call[set.Observation](ctx, c.c, request{method: http.MethodDelete, path: path})
}

// Watch implements set.Agent. It yields ErrUnavailable when the stream breaks or is silent for three heartbeats.
func (c *AgentClient) Watch(ctx context.Context) iter.Seq2[set.Observation, error] {
	return func(yield func(set.Observation, error) bool) {
		stream, cancel := context.WithCancel(ctx)
		defer cancel()
		silence := time.AfterFunc(3*heartbeat, cancel) // also a peer that takes the call and never answers
		defer silence.Stop()
		resp, err := c.c.send(stream, request{method: http.MethodGet, path: "/v1/assignments/watch"})
		if ctx.Err() != nil {
			closeBody(resp)
			return // the consumer's own end is no error
		}
		if stream.Err() != nil {
			err = fmt.Errorf("%w: %s does not answer a watch", set.ErrUnavailable, c.c.url)
		}
		if err != nil {
			closeBody(resp)
			yield(set.Observation{}, err)
			return
		}
		defer resp.Body.Close()
		c.readLines(ctx, resp.Body, func() { silence.Reset(3 * heartbeat) }, yield)
	}
}

func (c *AgentClient) readLines(ctx context.Context, body io.Reader, alive func(), yield func(set.Observation, error) bool) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxBody)
	for lines.Scan() {
		alive()
		if len(lines.Bytes()) == 0 {
			continue
		}
		o, err := decodeLine(lines.Bytes())
		if !yield(o, err) || err != nil {
			return
		}
	}
	if ctx.Err() != nil {
		return // the consumer's own end is no error
	}
	err := lines.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	yield(set.Observation{}, fmt.Errorf("%w: the watch of %s ended: %w", set.ErrUnavailable, c.c.url, err))
}

func decodeLine(b []byte) (set.Observation, error) {
	var l watchLine
	switch err := json.Unmarshal(b, &l); {
	case err != nil:
		return set.Observation{}, fmt.Errorf("%w: not a line of a watch: %w", set.ErrUnavailable, err)
	case l.Error != nil:
		return set.Observation{}, &remoteError{message: l.Error.Message, sentinel: sentinelOf(l.Error.Code, http.StatusInternalServerError)}
	case l.Observation == nil:
		return set.Observation{}, fmt.Errorf("%w: a line of the watch is empty", set.ErrUnavailable)
	}
	return *l.Observation, nil
}
