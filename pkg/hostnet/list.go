package hostnet

import (
	"cmp"
	"context"
	"slices"
)

// List returns the ports this owner has, by id; those whose link died are there with their Problem.
func (h *Host) List(ctx context.Context) ([]PortStatus, error) {
	t, err := h.readTable(ctx)
	if err != nil {
		return nil, fail("list ports of", h.cfg.Bridge, err)
	}
	statuses := make([]PortStatus, 0, len(t.mine))
	for id, row := range t.mine {
		statuses = append(statuses, t.status(row, t.specs[id]))
	}
	slices.SortFunc(statuses, func(a, b PortStatus) int { return cmp.Compare(a.Spec.ID, b.Spec.ID) })
	return statuses, nil
}
