package set

import "time"

// Observed is what the host saw, and the only part of a Server that the host writes.
type Observed struct {
	State      State             `json:"state,omitempty"`
	Generation uint64            `json:"generation,omitempty"` // of the Assignment this state belongs to
	Epoch      uint64            `json:"epoch,omitempty"`
	Containers []ContainerStatus `json:"containers,omitempty"` // infra first, then in Spec order
	Steps      []Step            `json:"steps,omitempty"`      // of the operation under way or last done, in order of start
	Fault      *Fault            `json:"fault,omitempty"`      // why State is failed or degraded
	At         time.Time         `json:"at,omitzero"`          // host's wall clock
}

// State is where a server is in its life.
type State string

// The states. Pending and scheduled are the region's, unknown and lost follow from Presence, the rest are the host's.
const (
	StatePending   State = "pending"   // accepted, no host yet
	StateScheduled State = "scheduled" // host and addresses reserved
	StatePreparing State = "preparing" // pulling images
	StateCreating  State = "creating"  // containers and network being made
	StateStarting  State = "starting"
	StateRunning   State = "running"
	StateDegraded  State = "degraded" // a container is down and being restarted
	StateSuspended State = "suspended"
	StateStopping  State = "stopping"
	StateStopped   State = "stopped"
	StateDeleting  State = "deleting"
	StateDeleted   State = "deleted" // nothing is left on the host
	StateFailed    State = "failed"  // gave up; Fault says why; nothing half made is left running
	StateUnknown   State = "unknown"
	StateLost      State = "lost"
)

func (s State) meets(d Desired) bool {
	switch d {
	case DesiredRunning:
		return s == StateRunning
	case DesiredStopped:
		return s == StateStopped
	case DesiredSuspended:
		return s == StateSuspended
	case DesiredAbsent:
		return s == StateDeleted
	}
	return false
}

// ContainerStatus is one container as the engine reports it.
type ContainerStatus struct {
	Name       string         `json:"name"`
	Role       Role           `json:"role"`
	ID         string         `json:"id,omitempty"` // the engine's id
	Image      string         `json:"image,omitempty"`
	State      ContainerState `json:"state"`
	ExitCode   int            `json:"exit_code,omitempty"`
	OOMKilled  bool           `json:"oom_killed,omitempty"`
	Restarts   int            `json:"restarts,omitempty"` // by the host daemon, since this generation was applied
	StartedAt  time.Time      `json:"started_at,omitzero"`
	FinishedAt time.Time      `json:"finished_at,omitzero"`
	Message    string         `json:"message,omitempty"`
}

// ContainerState is the life of one container.
type ContainerState string

// The states of a container.
const (
	ContainerCreated ContainerState = "created"
	ContainerRunning ContainerState = "running"
	ContainerPaused  ContainerState = "paused"
	ContainerExited  ContainerState = "exited"
)

// Step is one part of an operation, for progress displays: "pull web", "network", "start".
type Step struct {
	Name      string    `json:"name"`
	State     StepState `json:"state"`
	Done      int64     `json:"done,omitempty"`  // bytes so far, where bytes are counted
	Total     int64     `json:"total,omitempty"` // bytes in all; zero when not known
	Message   string    `json:"message,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// StepState is where a step is.
type StepState string

// The states of a step.
const (
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)
