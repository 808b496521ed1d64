package sched_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
)

// churn does one random thing to a ledger.
func churn(t *rapid.T, l *sched.Ledger, k int) {
	id := fmt.Sprintf("h%d", rapid.IntRange(0, 4).Draw(t, "host"))
	set := fmt.Sprintf("s%d", rapid.IntRange(0, 9).Draw(t, "set"))
	switch rapid.IntRange(0, 6).Draw(t, "what") {
	case 0:
		h := host(id, "r", 10)
		h.IPPools, h.Groups = map[string]int64{"blue": 3}, map[string]int{"web": k % 2}
		require.NoError(t, l.Put(h))
	case 1:
		l.Remove(id)
	case 2:
		_ = l.SetState(id, sched.State(k%3)) // the host may be gone
	case 3:
		l.Release(set)
	default:
		_, _ = commit(l, sched.Mode{AllOrNothing: k%2 == 0}, claim(set, id, 3), claim(set+"b", "h1", 4)) // may not fit
	}
}

func TestSnapshotsStayAsTheyWereWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := sched.NewLedger(sched.LedgerConfig{})
		var snaps []sched.Snapshot
		var texts []string
		for k := range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, l, k)
			if rapid.Bool().Draw(t, "look") {
				s := l.Snapshot()
				snaps, texts = append(snaps, s), append(texts, fmt.Sprint(s.List()))
			}
		}
		for k, s := range snaps {
			require.Equal(t, texts[k], fmt.Sprint(s.List()))
		}
		for h := range l.Snapshot().All() {
			cpu, web := h.Used[sched.CPU], h.Groups["web"]
			for _, c := range l.Claims() {
				if c.HostID == h.ID {
					cpu, web = cpu-c.Take[sched.CPU], web-1
				}
			}
			require.Zero(t, cpu, "%s counts what it has not", h.ID)
			require.Contains(t, []int{0, 1}, web)
		}
	})
}
