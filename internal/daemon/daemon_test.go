package daemon_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/internal/daemon"
)

func TestBindSaysThatThePortIsTaken(t *testing.T) {
	first := &daemon.Listener{Name: "region", Addr: "127.0.0.1:0"}
	require.NoError(t, first.Bind())
	defer first.Bound.Close()
	second := &daemon.Listener{Name: "registry", Addr: first.Bound.Addr().String()}
	assert.ErrorContains(t, second.Bind(), "registry cannot listen on "+second.Addr+": the port is taken")
}

func TestServeLetsARequestUnderWayFinish(t *testing.T) {
	entered := make(chan struct{})
	l := &daemon.Listener{Name: "x", Addr: "127.0.0.1:0", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(w, "done")
	})}
	require.NoError(t, l.Bind())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- daemon.ServeAll(ctx, time.Second, l) }()
	go func() { <-entered; cancel() }()
	resp, err := http.Get("http://" + l.Bound.Addr().String())
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "done", string(body))
	assert.NoError(t, <-served)
}

func TestLoggerRefusesAnUnknownLevel(t *testing.T) {
	_, err := daemon.Logger("loud")
	assert.ErrorContains(t, err, `log level "loud" is not known`)
}
