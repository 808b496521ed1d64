package set

import (
	"context"
	"time"
)

// Task is the record of one mutation: what was asked, how far it is, how it ended.
type Task struct {
	ID             string    `json:"id"` // UUID
	Verb           Verb      `json:"verb"`
	ServerID       string    `json:"server_id,omitempty"`
	ServerName     string    `json:"server_name,omitempty"`
	ServiceID      string    `json:"service_id,omitempty"` // of a task about a service; it has no server
	ServiceName    string    `json:"service_name,omitempty"`
	ProjectID      string    `json:"project_id"`
	UserID         string    `json:"user_id"`
	RequestID      string    `json:"request_id,omitempty"`      // of the HTTP request that asked
	IdempotencyKey string    `json:"idempotency_key,omitempty"` // as the caller gave it
	Generation     uint64    `json:"generation"`                // the server's generation this task brings about
	State          TaskState `json:"state"`
	Steps          []Step    `json:"steps,omitempty"` // the region's, then the host's
	Fault          *Fault    `json:"fault,omitempty"`
	Revision       uint64    `json:"revision"` // rises with every change of the task
	CreatedAt      time.Time `json:"created_at"`
	EndedAt        time.Time `json:"ended_at,omitzero"`
}

// Subject is the name of the server or service the task is about.
func (t Task) Subject() string {
	if t.ServiceID != "" {
		return t.ServiceName
	}
	return t.ServerName
}

// TaskState is where a task is.
type TaskState string

// The states of a task; done and failed are final.
const (
	TaskQueued  TaskState = "queued"
	TaskRunning TaskState = "running"
	TaskDone    TaskState = "done"
	TaskFailed  TaskState = "failed"
)

// Final reports whether the task will not change any more.
func (s TaskState) Final() bool { return s == TaskDone || s == TaskFailed }

// TaskReader is an ability of Controllers, found by assertion.
type TaskReader interface {
	// Task returns the task once its Revision is above after (0: at once), or as it is when the
	// server's own waiting limit passes. Errors: ErrNotFound.
	Task(ctx context.Context, id string, after uint64) (Task, error)
}

// Wait follows a task to its end and calls each, if not nil, for every version seen.
// The error is about following, not about the task: look at the Task's Fault.
func Wait(ctx context.Context, r TaskReader, id string, each func(Task)) (Task, error) {
	var after uint64
	for {
		t, err := r.Task(ctx, id, after)
		if err != nil {
			return t, err
		}
		if each != nil && t.Revision != after {
			each(t)
		}
		if t.State.Final() {
			return t, nil
		}
		if err := ctx.Err(); err != nil {
			return t, err
		}
		after = t.Revision
	}
}
