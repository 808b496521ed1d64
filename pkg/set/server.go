package set

import (
	"net/netip"
	"time"
)

// Server is the one record for whatever runs. Every field has exactly one writer: the tenant's
// request, the region, or (Observed) the host that holds the lease epoch.
type Server struct {
	ID        string            `json:"id"` // UUID
	Name      string            `json:"name"`
	Kind      Kind              `json:"kind"`
	ProjectID string            `json:"project_id"`
	UserID    string            `json:"user_id"`
	ServiceID string            `json:"service_id,omitempty"` // service this server is a replica of
	Labels    map[string]string `json:"labels,omitempty"`
	Spec      Spec              `json:"spec"`

	Generation uint64           `json:"generation"` // rises with every change of Spec or Desired
	Desired    Desired          `json:"desired"`
	Images     map[string]Image `json:"images,omitempty"`     // by container name, resolved when the request was accepted
	StopGrace  Duration         `json:"stop_grace,omitempty"` // of the last stop; zero: as the containers say
	Host       string           `json:"host,omitempty"`
	Epoch      uint64           `json:"epoch"` // lease epoch: rises each time a host is given this server
	Addresses  []Address        `json:"addresses,omitempty"`
	Presence   Presence         `json:"presence"`
	TaskID     string           `json:"task_id,omitempty"` // task under way
	Fault      *Fault           `json:"fault,omitempty"`   // why the last task failed
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`

	Observed Observed `json:"observed"`
}

// Desired is what the region wants of a server.
type Desired string

// The desired states. Absent is final.
const (
	DesiredRunning   Desired = "running"
	DesiredStopped   Desired = "stopped"
	DesiredSuspended Desired = "suspended"
	DesiredAbsent    Desired = "absent"
)

// Presence is the region's own judgement of a server's host.
type Presence string

// Known: the host reports. Unknown: its reports are late. Lost: its lease ran out.
const (
	PresenceKnown   Presence = "known"
	PresenceUnknown Presence = "unknown"
	PresenceLost    Presence = "lost"
)

// Image is an image reference resolved to what will really run.
type Image struct {
	Ref    string `json:"ref"`    // project/repo:tag as the registry names it
	Digest string `json:"digest"` // manifest digest, "sha256:…"
	Size   Bytes  `json:"size"`   // compressed size of all layers
}

// Address is one attachment of a server to a network, as the cloud assigned it.
type Address struct {
	NetworkID string       `json:"network_id"`
	Network   string       `json:"network"` // the network's name
	Segment   uint16       `json:"segment"` // isolates networks on the wire; 1..65535
	MAC       string       `json:"mac"`     // "fa:16:3e:…"
	Prefix    netip.Prefix `json:"prefix"`  // the address with its network's mask length
	Gateway   netip.Addr   `json:"gateway,omitzero"`
	MTU       int          `json:"mtu"` // bytes
	Ingress   BitRate      `json:"ingress,omitempty"`
	Egress    BitRate      `json:"egress,omitempty"`
}

// Fault is an error kept in a record.
type Fault struct {
	Code    string    `json:"code"`    // as in the API's error bodies: "no_capacity"
	Message string    `json:"message"` // one sentence
	At      time.Time `json:"at"`
}

// Status is the one word for people and for API fields that hold one word.
func (s Server) Status() State {
	switch {
	case s.Presence == PresenceLost:
		return StateLost
	case s.Presence == PresenceUnknown:
		return StateUnknown
	case s.Desired == DesiredAbsent && s.Observed.State != StateDeleted:
		return StateDeleting
	case s.Observed.State != "":
		return s.Observed.State
	case s.Fault != nil:
		return StateFailed
	case s.Host != "":
		return StateScheduled
	}
	return StatePending
}

// Settled reports whether the host has reached what the region wants of this generation.
func (s Server) Settled() bool {
	return s.Observed.Epoch == s.Epoch && s.Observed.Generation == s.Generation && s.Observed.State.meets(s.Desired)
}
