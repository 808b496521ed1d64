package set

import (
	"context"
	"strconv"
)

// MaxBatch is the most servers that one batch creates, and the most that a service has.
const MaxBatch = 1000

// BatchCreator is an ability of Controllers, found by assertion: a burst of servers of one spec that is
// planned as one.
type BatchCreator interface {
	// CreateBatch accepts servers called Name-1 to Name-Count. Each item of the answer has a Task, or the
	// Fault for which it was refused; with AllOrNothing, and when no server at all is accepted, the
	// refusal is the error instead. Errors: those of Controller.Create.
	CreateBatch(ctx context.Context, req BatchRequest) (Batch, error)
}

// BatchRequest asks for servers that differ in nothing but their names.
type BatchRequest struct {
	CreateRequest      // Name is the stem of their names
	Count         int  `json:"count"`                    // 1 to MaxBatch
	AllOrNothing  bool `json:"all_or_nothing,omitempty"` // rather none than fewer
}

// Batch is the answer to a BatchRequest.
type Batch struct {
	Items []BatchItem `json:"items"` // in the order of the names
}

// BatchItem is what became of one server of a batch: either Task or Fault.
type BatchItem struct {
	Name  string `json:"name"`
	Task  *Task  `json:"task,omitempty"`
	Fault *Fault `json:"fault,omitempty"`
}

// Names are those of the servers.
func (r BatchRequest) Names() []string {
	names := make([]string, r.Count)
	for i := range names {
		names[i] = NumberedName(r.Name, i+1)
	}
	return names
}

// NumberedName is the name of the nth server, from 1, of a batch or a service.
func NumberedName(stem string, n int) string { return stem + "-" + strconv.Itoa(n) }

// Validate checks everything that can be known without asking anybody. The error names the field.
func (r BatchRequest) Validate() error {
	if r.Count < 1 || r.Count > MaxBatch {
		return invalid("count", "%d is not 1 to %d", r.Count, MaxBatch)
	}
	return first(r.CreateRequest.Validate(), checkStem(r.Name))
}

// checkStem refuses names that have no room for a number.
func checkStem(name string) error {
	if most := 63 - len(strconv.Itoa(MaxBatch)) - 1; len(name) > most {
		return invalid("name", "%q has no room for the number of each server: use at most %d characters", name, most)
	}
	return nil
}
