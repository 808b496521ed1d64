package registry_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/registry"
)

// watched counts the uploads of a store that were aborted.
type watched struct {
	image.Store
	aborted chan struct{}
}

func (w watched) Create(ctx context.Context, repo string) (image.Upload, error) {
	up, err := w.Store.Create(ctx, repo)
	return watchedUpload{up, w.aborted}, err
}

type watchedUpload struct {
	image.Upload
	aborted chan struct{}
}

func (u watchedUpload) Abort(ctx context.Context) error {
	u.aborted <- struct{}{}
	return u.Upload.Abort(ctx)
}

func newWatched(t *testing.T, change func(*registry.Config)) (*server, chan struct{}) {
	aborted := make(chan struct{}, 10)
	s := newServer(t, func(c *registry.Config) {
		inner := c.Stores
		c.Stores = func(ctx context.Context, id registry.Identity) (image.Store, error) {
			st, err := inner(ctx, id)
			return watched{st, aborted}, err
		}
		if change != nil {
			change(c)
		}
	})
	return s, aborted
}

func waitFor(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(5 * time.Second):
		t.Fatal("the upload was not aborted")
	}
}

func TestAnIdleUploadIsGivenUp(t *testing.T) {
	s, aborted := newWatched(t, func(c *registry.Config) { c.UploadTTL = 30 * time.Millisecond })
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	waitFor(t, aborted)
	s.want(http.StatusNotFound, ask{method: "GET", path: at})
}

func TestClosingEndsOpenUploads(t *testing.T) {
	s, aborted := newWatched(t, nil)
	s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"})
	require.NoError(t, s.h.Close())
	waitFor(t, aborted)
}

// breakOff sends a PATCH whose connection ends in the middle of the body.
func (s *server) breakOff(path, rest string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s.t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo\r\n%s", path, rest)
	require.NoError(s.t, err)
	require.NoError(s.t, conn.(*net.TCPConn).CloseWrite())
	_, _ = bufio.NewReader(conn).ReadString('\n') // the answer, or the end: the request is over
}

func TestABrokenStreamEndsTheUpload(t *testing.T) {
	s, aborted := newWatched(t, nil)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	s.breakOff(at, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
	waitFor(t, aborted)
	s.want(http.StatusNotFound, ask{method: "GET", path: at})
}

func TestABrokenChunkIsResumed(t *testing.T) {
	s, _ := newWatched(t, nil)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	s.breakOff(at, "Content-Range: 0-5\r\nContent-Length: 6\r\n\r\nabc")
	require.Equal(t, "0-2", s.want(http.StatusNoContent, ask{method: "GET", path: at}).header.Get("Range"))
	s.want(http.StatusAccepted, ask{method: "PATCH", path: at, body: []byte("def"), header: map[string]string{"Content-Range": "3-5"}})
	s.want(http.StatusCreated, ask{method: "PUT", path: at + "?digest=" + sum([]byte("abcdef"))})
}

func TestTransfersReportProgress(t *testing.T) {
	var mu sync.Mutex
	var events []image.Event
	s := newServer(t, func(c *registry.Config) {
		c.Progress = func(e image.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		}
	})
	s.upload("demo/app", []byte("12345"))
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum([]byte("12345"))})
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, events, 2)
	require.Equal(t, image.Event{Repo: "demo/app", Done: 5}, events[0])
	require.EqualValues(t, 5, events[1].Total)
	require.EqualValues(t, 5, events[1].Done)
}
