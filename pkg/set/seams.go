package set

import (
	"context"
	"iter"
)

// Engine runs servers of one kind. The Manager calls it for one server at a time per server, for many
// servers in parallel; every method can be repeated after a crash or a timeout and then adopts what is there.
type Engine interface {
	// Prepare makes volumes, limits, the sandbox (infra container) and the members, starts the sandbox,
	// and returns where its network is to be attached. Members are not started.
	Prepare(ctx context.Context, in Instance) (Sandbox, error)
	// Start starts the members; ready when it returns.
	Start(ctx context.Context, in Instance) error
	// Stop stops members, then the sandbox, within their grace; what is stopped stays stopped.
	Stop(ctx context.Context, in Instance) error
	// Remove deletes everything Prepare made, volumes included. Nil when nothing is there.
	Remove(ctx context.Context, serverID string) error
	// List returns what this engine runs or left behind, complete or not.
	List(ctx context.Context, serverIDs ...string) ([]Found, error)
}

// EngineEvents is an ability of Engines, found by assertion: server ids whose containers changed by
// themselves. Without it the Manager only polls.
type EngineEvents interface {
	Events(ctx context.Context) iter.Seq2[string, error]
}

// Instance is an Assignment whose images are on the host.
type Instance struct {
	Assignment
	ImageIDs map[string]string // by container name: what the engine runs
}

// Sandbox is what holds a server's network.
type Sandbox struct {
	ID    string // the engine's id; a new sandbox has a new one
	NetNS string // path of the network namespace
}

// Found is a server as its engine sees it.
type Found struct {
	ServerID   string
	Generation uint64
	Epoch      uint64
	SpecHash   string            // SpecHash of the Assignment it was prepared from
	Sandbox    Sandbox           // zero NetNS when the sandbox does not run
	Containers []ContainerStatus // infra first
}

// Images brings images to the host.
type Images interface {
	// Ensure returns the local id of the image, pulling what is missing; progress, if not nil, gets bytes
	// so far and in all. Errors: ErrNotFound, ErrForbidden, ErrUnavailable.
	Ensure(ctx context.Context, req ImageRequest, progress func(done, total int64)) (string, error)
}

// ImageRequest names an image and the right to pull it.
type ImageRequest struct {
	Image
	ProjectID string
	Token     Secret // empty: the host's own identity
}

// Network attaches sandboxes to the cloud's network.
type Network interface {
	// Attach returns when packets can flow; repeating it changes nothing, a new sandbox moves the port.
	Attach(ctx context.Context, req AttachRequest) error
	// Detach takes away everything Attach made. Nil when nothing is there.
	Detach(ctx context.Context, serverID string) error
	// List returns the ids of all servers that hold something here.
	List(ctx context.Context) ([]string, error)
}

// AttachRequest is one server's attachment.
type AttachRequest struct {
	ServerID  string
	Sandbox   Sandbox
	Addresses []Address
}

// Journal keeps what the host was told, so that a restart knows it. Records are small; Save is durable when it returns.
type Journal interface {
	Save(r Record) error
	Delete(serverID string) error
	Load() ([]Record, error)
}

// Record is one journal entry.
type Record struct {
	Assignment Assignment `json:"assignment"` // without PullToken
	Absent     bool       `json:"absent,omitempty"`
	// ImageIDs are the local ids the engine was given, so that a restart needs no registry.
	ImageIDs map[string]string `json:"image_ids,omitempty"`
	// Reached says that this generation has run (or been stopped) as desired once: from then on a fault is
	// repaired, not taken back.
	Reached bool `json:"reached,omitempty"`
	// Made says that some generation was reached: the volumes hold what a failure must not take away.
	Made     bool     `json:"made,omitempty"`
	Observed Observed `json:"observed"`
}
