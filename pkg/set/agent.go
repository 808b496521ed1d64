package set

import (
	"context"
	"iter"
)

// Agent is the host side: the region says what should be, the agent makes it so and reports.
// The host's Manager implements it, and so does its HTTP client; one suite holds both (settest.TestAgent).
type Agent interface {
	// Apply takes over a desired state and returns once it is durable; the work goes on behind it and
	// shows in Watch. Applying the same Assignment again changes nothing. Errors: ErrInvalid,
	// ErrStaleEpoch (a newer epoch is known), ErrConflict (a newer generation is known), ErrUnavailable.
	Apply(ctx context.Context, a Assignment) (Observation, error)
	// Observe returns the named servers as they are now, or all; ones not here are left out.
	Observe(ctx context.Context, ids ...string) ([]Observation, error)
	// Watch yields every server once, then each change, until ctx ends or the consumer stops. Changes
	// in quick succession may be merged; the last one never is.
	Watch(ctx context.Context) iter.Seq2[Observation, error]
	// Remove makes a server absent, like Apply: the Observation says StateDeleting, or StateDeleted at
	// once if nothing of it is here. Errors: ErrStaleEpoch, ErrUnavailable.
	Remove(ctx context.Context, r Removal) (Observation, error)
}

// Assignment is a server as its host must run it: the tenant's Spec plus what only the region knows.
type Assignment struct {
	ServerID   string           `json:"server_id"`
	Name       string           `json:"name"` // becomes the hostname
	ProjectID  string           `json:"project_id"`
	Generation uint64           `json:"generation"`
	Epoch      uint64           `json:"epoch"`
	Desired    Desired          `json:"desired"` // not DesiredAbsent: that is Remove
	Spec       Spec             `json:"spec"`
	Images     map[string]Image `json:"images"` // by container name
	Addresses  []Address        `json:"addresses"`
	Grace      Duration         `json:"grace,omitempty"`      // for DesiredStopped; overrides the containers' own
	PullToken  Secret           `json:"pull_token,omitempty"` // Keystone token for the images; never stored
}

// Removal names a server to make absent.
type Removal struct {
	ServerID string `json:"server_id"`
	Epoch    uint64 `json:"epoch"`
}

// Observation is one server as its host sees it.
type Observation struct {
	ServerID string `json:"server_id"`
	Observed
}
