package setapi_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

// lines serves a watch that says text and then breaks off.
func lines(t *testing.T, text string) *setapi.AgentClient {
	return setapi.NewAgentClient(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })))
}

// watched collects what a Watch yields.
func watched(ctx context.Context, a set.Agent) (ids []string, last error) {
	for o, err := range a.Watch(ctx) {
		if err != nil {
			last = err
			continue
		}
		ids = append(ids, o.ServerID)
	}
	return ids, last
}

func TestAWatchThatBreaksIsUnavailable(t *testing.T) {
	good := `{"observation":{"server_id":"s1","state":"running"}}` + "\n"
	for name, c := range map[string]struct {
		text string
		ids  []string
		want error
	}{
		"at once":           {"", nil, set.ErrUnavailable},
		"after a line":      {"\n" + good + "\n", []string{"s1"}, set.ErrUnavailable},
		"within a line":     {good + `{"observation":{"ser`, []string{"s1"}, set.ErrUnavailable},
		"with an empty one": {good + "{}\n" + good, []string{"s1"}, set.ErrUnavailable},
		"with an error":     {good + `{"error":{"code":"stale_epoch","message":"m"}}` + "\n", []string{"s1"}, set.ErrStaleEpoch},
		"with a failure":    {`{"error":{"code":"internal","message":"m"}}` + "\n", nil, set.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			ids, err := watched(t.Context(), lines(t, c.text))
			assert.Equal(t, c.ids, ids)
			require.ErrorIs(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestAWatchSaysThatItsHostCloses(t *testing.T) {
	f := settest.NewFakes()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	a := remoteAgent(t, m)
	_, err = a.Apply(t.Context(), settest.Assignment("s1"))
	require.NoError(t, err)
	settest.AwaitState(t, a, "s1", 1, set.StateRunning)
	time.AfterFunc(20*time.Millisecond, func() { _ = m.Close() })
	ids, err := watched(t.Context(), a)
	assert.Contains(t, ids, "s1")
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.ErrorContains(t, err, "the host is shutting down")
}

// silent is a transport whose peer says no more after start, or nothing at all without it.
type silent struct {
	start   string
	answers bool
}

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.answers {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body, end := io.Pipe()
	go func() {
		_, _ = io.WriteString(end, s.start)
		<-r.Context().Done()
		_ = end.CloseWithError(r.Context().Err())
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}

func TestAPeerThatFallsSilentIsUnavailable(t *testing.T) {
	for name, peer := range map[string]silent{"before its answer": {}, "after a line": {"\n", true}} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			a := setapi.NewAgentClient(setapi.ClientConfig{URL: "http://host", HTTP: &http.Client{Transport: peer}})
			_, err := watched(t.Context(), a)
			assert.ErrorIs(t, err, set.ErrUnavailable, name)
			assert.Equal(t, 15*time.Second, time.Since(begun), name)
		})
	}
}

func TestAWatchEndsWithoutAnErrorWhenItsContextDoes(t *testing.T) {
	for name, peer := range map[string]silent{"before its answer": {}, "after a line": {"\n", true}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			a := setapi.NewAgentClient(setapi.ClientConfig{URL: "http://host", HTTP: &http.Client{Transport: peer}})
			ids, err := watched(ctx, a)
			assert.NoError(t, err, name)
			assert.Empty(t, ids, name)
		})
	}
}

func TestAQuietWatchBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://host/v1/assignments/watch", http.NoBody)
		require.NoError(t, err)
		w := &recorder{header: http.Header{}}
		setapi.AgentHandler(quiet{}).ServeHTTP(w, r)
		assert.Equal(t, "\n\n\n", w.text, "one at the start, then one each 5 seconds")
	})
}

// quiet is an Agent that nothing happens to.
type quiet struct{ failing }

func (quiet) Watch(ctx context.Context) iter.Seq2[set.Observation, error] {
	return func(func(set.Observation, error) bool) { <-ctx.Done() }
}

// recorder is a ResponseWriter that can be flushed.
type recorder struct {
	header http.Header
	text   string
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Write(p []byte) (int, error) { r.text += string(p); return len(p), nil }
func (r *recorder) FlushError() error           { return nil }
