package set

import (
	"context"
	"time"
)

// Service is a number of servers of one spec that are scaled together. Its servers carry its id in
// ServiceID and are called Name-1, Name-2 and so on.
type Service struct {
	ID         string            `json:"id"` // UUID
	Name       string            `json:"name"`
	ProjectID  string            `json:"project_id"`
	UserID     string            `json:"user_id"`
	Labels     map[string]string `json:"labels,omitempty"` // of each server
	Spec       Spec              `json:"spec"`             // of each server
	Images     map[string]Image  `json:"images"`           // by container name, resolved when the service was accepted
	Replicas   int               `json:"replicas"`         // servers wanted
	Deleting   bool              `json:"deleting,omitempty"`
	Generation uint64            `json:"generation"` // rises with every change of what is wanted
	TaskID     string            `json:"task_id,omitempty"`
	Fault      *Fault            `json:"fault,omitempty"` // why the last task failed
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`

	Servers int `json:"servers"` // that exist; counted when asked for
	Running int `json:"running"` // of these; counted when asked for
}

// ServiceRequest asks for a service.
type ServiceRequest struct {
	Name           string            `json:"name"` // unique among the project's services; as a server's, at most 58 characters
	Labels         map[string]string `json:"labels,omitempty"`
	Spec           Spec              `json:"spec"`
	Replicas       int               `json:"replicas"` // 0 to MaxBatch
	IdempotencyKey string            `json:"-"`
}

// Scale says how many servers a service is to have.
type Scale struct {
	Replicas       int    `json:"replicas"` // 0 to MaxBatch
	IdempotencyKey string `json:"-"`
}

// ServiceController is an ability of Controllers, found by assertion: what an autoscaler calls.
type ServiceController interface {
	// CreateService accepts a service and its first servers. Errors: those of Controller.Create, but
	// servers without a host are the Fault of the Task.
	CreateService(ctx context.Context, req ServiceRequest) (Task, error)
	// GetService returns one service by id or name. Errors: ErrNotFound.
	GetService(ctx context.Context, ref string) (Service, error)
	// ListServices returns the project's services by name.
	ListServices(ctx context.Context) ([]Service, error)
	// ScaleService changes the number of servers; those that failed are replaced first, and those made
	// last go first. Asking for the number that is being brought about returns the Task that does so; a
	// new number ends that Task. Errors: ErrNotFound, ErrInvalid, ErrConflict (being deleted).
	ScaleService(ctx context.Context, ref string, s Scale) (Task, error)
	// DeleteService removes a service with all its servers. Errors: ErrNotFound.
	DeleteService(ctx context.Context, ref string, opts DeleteOptions) (Task, error)
}

// VerbScale brings the number of a service's servers to what is wanted.
const VerbScale Verb = "scale"

// Validate checks everything that can be known without asking anybody. The error names the field.
func (r ServiceRequest) Validate() error {
	server := CreateRequest{Name: r.Name, Labels: r.Labels, Spec: r.Spec, IdempotencyKey: r.IdempotencyKey}
	return first(server.Validate(), checkStem(r.Name), Scale{Replicas: r.Replicas}.Validate())
}

// Validate checks the number.
func (s Scale) Validate() error {
	if s.Replicas < 0 || s.Replicas > MaxBatch {
		return invalid("replicas", "%d is not 0 to %d", s.Replicas, MaxBatch)
	}
	if len(s.IdempotencyKey) > 255 {
		return invalid("Idempotency-Key", "it has %d characters, at most 255 are accepted", len(s.IdempotencyKey))
	}
	return nil
}
