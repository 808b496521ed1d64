package settest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/moset/moset/pkg/set"
)

// Journal is a set.Journal in memory. It keeps records as JSON, as a file does.
type Journal struct {
	knobs *Knobs

	mu      sync.Mutex
	records map[string][]byte
}

var _ set.Journal = (*Journal)(nil)

// Save implements set.Journal.
func (j *Journal) Save(r set.Record) error {
	return j.knobs.do(context.Background(), "Journal.Save", func() error {
		r.Assignment.PullToken = ""
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.records[r.Assignment.ServerID] = b
		return nil
	})
}

// Delete implements set.Journal.
func (j *Journal) Delete(serverID string) error {
	return j.knobs.do(context.Background(), "Journal.Delete", func() error {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.records, serverID)
		return nil
	})
}

// Load implements set.Journal. It is not counted as a call: a Manager that cannot load does not start.
func (j *Journal) Load() ([]set.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []set.Record
	for id, b := range j.records {
		var r set.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return list, fmt.Errorf("journal: record %s: %w", id, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Record returns one record; false when there is none.
func (j *Journal) Record(serverID string) (r set.Record, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, ok := j.records[serverID]
	return r, ok && json.Unmarshal(b, &r) == nil
}
