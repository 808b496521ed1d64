package sched

import "strconv"

// MaxBatch is the largest Batch.N.
const MaxBatch = 100_000

// Batch is a request for copies of one set.
type Batch struct {
	Set Set
	// N is the number of copies wanted; 0 means 1.
	N int
	// Min is the fewest copies worth having; with fewer Plan fails with
	// ErrNoFit and claims nothing. 0 means all of N.
	Min int
	// IDs are the ids of the copies, N of them. When empty, a single copy is
	// called Set.ID and several are called Set.ID-0, Set.ID-1 and so on.
	IDs []string
}

// Copies are the ids of the copies, whether given or made up.
func (b Batch) Copies() []string {
	if len(b.IDs) > 0 {
		return b.IDs
	}
	ids := make([]string, max(1, b.N))
	for k := range ids {
		ids[k] = b.copyID(k)
	}
	return ids
}

func (b Batch) copyID(k int) string {
	switch {
	case len(b.IDs) > 0:
		return b.IDs[k]
	case b.N <= 1:
		return b.Set.ID
	}
	return b.Set.ID + "-" + strconv.Itoa(k)
}

// Plan says where copies go. It is a proposal: nothing is taken before a
// commit.
type Plan struct {
	// Claims has one entry per placed copy, in the order of the ids.
	Claims []Claim
	// Unplaced is the number of copies without a host.
	Unplaced int
	// Why says why the unplaced copies have no host, and which hosts were
	// best for the first copy.
	Why Explanation
	// Snapshot is the Number of the snapshot planned on.
	Snapshot uint64
}

// Claim is one copy on one host. Its slices are shared between the claims of
// a plan: read them only.
type Claim struct {
	SetID  string
	Group  string
	HostID string
	// HostVersion is the host's version that the plan was made on.
	HostVersion uint64
	// Take is the whole Need of the copy.
	Take Vector
	// Networks has the networks to take an address of, one for each mention.
	Networks []string
	// Avoid lists the groups that must not be on the host; a commit checks it
	// again, because another scheduler may have been there first.
	Avoid []string
}
