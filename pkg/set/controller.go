package set

import "context"

// Controller is the tenant side: one caller's view of the servers of one project.
// The region implements it, and so does its HTTP client; one suite holds both (settest.TestController).
//
// Every mutation is accepted or refused at once and returns a Task to follow. A mutation repeated
// with the same idempotency key and the same content returns the first Task again; with other
// content it is ErrConflict.
type Controller interface {
	// Create accepts a new server. Errors: ErrInvalid, ErrConflict (name taken), ErrNotFound (image or
	// network), ErrNoCapacity, ErrForbidden, ErrUnavailable.
	Create(ctx context.Context, req CreateRequest) (Task, error)
	// Get returns one server by id or, failing that, by name. Errors: ErrNotFound.
	Get(ctx context.Context, ref string) (Server, error)
	// List returns a page of servers in order of creation.
	List(ctx context.Context, opts ListOptions) (Page, error)
	// Act changes or checks a server. Errors: ErrNotFound, ErrInvalid (unknown verb), ErrConflict (state or task under way).
	Act(ctx context.Context, ref string, a Action) (Task, error)
	// Delete removes a server and everything it holds. Deleting it again while that is under way returns the same Task.
	Delete(ctx context.Context, ref string, opts DeleteOptions) (Task, error)
}

// CreateRequest asks for one server.
type CreateRequest struct {
	Name           string            `json:"name"` // unique in the project: a-z, 0-9, "-", ".", at most 63 characters
	Labels         map[string]string `json:"labels,omitempty"`
	Spec           Spec              `json:"spec"`
	Desired        Desired           `json:"desired,omitempty"` // DesiredRunning (default) or DesiredStopped
	IdempotencyKey string            `json:"-"`                 // travels as the Idempotency-Key header; at most 255 characters
}

// ListOptions narrow a List.
type ListOptions struct {
	Name   string            // exact name; empty for all
	Labels map[string]string // all of them must match
	Status State             // empty for all
	Limit  int               // servers a page; 0 means 1000, which is also the most
	Marker string            // Page.Next of the page before
}

// Page is one page of a List.
type Page struct {
	Servers []Server `json:"servers"`
	Next    string   `json:"next,omitempty"` // marker of the next page; empty at the end
}

// Verb names what a task does.
type Verb string

// The verbs, the same for containers and VMs.
const (
	VerbCreate Verb = "create"
	VerbStart  Verb = "start"
	VerbStop   Verb = "stop"
	VerbSync   Verb = "sync-status" // ask the host again and correct the record
	VerbDelete Verb = "delete"
)

// Action is a verb with what it needs.
type Action struct {
	Verb           Verb     `json:"verb"`            // VerbStart, VerbStop or VerbSync
	Grace          Duration `json:"grace,omitempty"` // stop: overrides each container's StopGrace
	IdempotencyKey string   `json:"-"`
}

// DeleteOptions qualify a Delete.
type DeleteOptions struct {
	IdempotencyKey string
}
