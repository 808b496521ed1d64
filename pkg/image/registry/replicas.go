package registry

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/image"
)

// Replicas lets several registries stand behind one address. An upload lives in the replica that took it, whose
// name is in its Location; the others pass its requests on. All else may go to any replica. The zero value is a
// registry that stands alone.
type Replicas struct {
	Name      string              // of this one: letters, digits, - and _
	Others    map[string]*url.URL // name: where this replica reaches that one
	Transport http.RoundTripper   // to them; nil is http.DefaultTransport
}

var replicaName = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// headerReplica marks a request that another replica has passed on, and goes no further.
const headerReplica = "Moset-Replica"

func (r Replicas) check() error {
	for name, u := range r.Others {
		switch {
		case r.Name == "" || name == "" || !replicaName.MatchString(name) || name == r.Name:
			return fmt.Errorf("%w: replicas need different names of letters, digits, - and _, not %q and %q", image.ErrInvalid, r.Name, name)
		case u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return fmt.Errorf("%w: replica %s needs an http or https URL", image.ErrInvalid, name)
		}
	}
	if !replicaName.MatchString(r.Name) {
		return fmt.Errorf("%w: a replica's name has letters, digits, - and _, not %q", image.ErrInvalid, r.Name)
	}
	return nil
}

// sessionID is the name of a new upload.
func (r Replicas) sessionID(random string) string {
	if r.Name == "" {
		return random
	}
	return r.Name + "." + random
}

// ownerOf is the replica that has an upload, nil when that is this one or nobody we know.
func (r Replicas) ownerOf(session string) *url.URL {
	name, _, ok := strings.Cut(session, ".")
	if !ok || name == r.Name {
		return nil
	}
	return r.Others[name]
}

// passOn sends a request of an upload to the replica that has it; it says whether it did.
func (h *Handler) passOn(c *call) bool {
	if c.kind != kindUpload || c.arg == "" || c.r.Header.Get(headerReplica) != "" {
		return false
	}
	owner := h.Replicas.ownerOf(c.arg)
	if owner == nil {
		return false
	}
	h.forward(c, owner, func(err error) error { return lost(c.arg, err) })
	return true
}

// handOver sends a new upload to another replica, for this one is being stopped; it says whether it did.
func (h *Handler) handOver(c *call) bool {
	if len(h.Replicas.Others) == 0 || c.r.Header.Get(headerReplica) != "" {
		return false
	}
	name := slices.Min(slices.Collect(maps.Keys(h.Replicas.Others)))
	h.forward(c, h.Replicas.Others[name], func(error) error { return errDraining })
	return true
}

// forward lets another replica answer a request; what broke says what the client is told when it does not.
func (h *Handler) forward(c *call, to *url.URL, broke func(error) error) {
	proxy := httputil.ReverseProxy{
		Transport: h.Replicas.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.SetXForwarded()
			p.Out.Host = p.In.Host // the challenge names the address that the client knows
			p.Out.Header.Set(headerReplica, h.Replicas.Name)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			h.fail(w, r, kindCodes[kindUpload], broke(err))
		},
	}
	proxy.ServeHTTP(c.w, c.r)
}

// lost is what a client is told when the replica with its upload does not answer.
func lost(session string, err error) error {
	name, _, _ := strings.Cut(session, ".")
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return errorf(http.StatusNotFound, codeUploadUnknown, "replica %s, which had the upload, is gone: start again", name)
	}
	return fmt.Errorf("%w: replica %s broke off: %w", image.ErrUnavailable, name, err)
}
