package glance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/glance"
)

func TestATransportWithDialReadsWhatWasSent(t *testing.T) {
	body := make([]byte, 1<<20)
	for i := range body {
		body[i] = byte(i)
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer srv.Close()
	transport := srv.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = glance.Dial
	defer transport.CloseIdleConnections()
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, http.NoBody)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, body, got)
	}
	srv.Close()
	_, err := glance.Dial(t.Context(), "tcp", srv.Listener.Addr().String())
	require.Error(t, err)
}
