package authn

import (
	"context"
	"net/http"
)

// Peer is how region and hosts prove to each other who they are, without Keystone: by a [SharedKey], or by
// certificates ([Certificates.Peer]).
type Peer interface {
	// Middleware lets only requests of the other side through.
	Middleware(next http.Handler) http.Handler
	// Transport sends requests to the other side with the proof; nil base means http.DefaultTransport.
	Transport(base http.RoundTripper) http.RoundTripper
}

type peerName struct{}

// PeerName is the name in the certificate of the host or region that sent a request. There is none where the
// proof holds no name, as with a SharedKey.
func PeerName(ctx context.Context) (string, bool) {
	name, ok := ctx.Value(peerName{}).(string)
	return name, ok
}
