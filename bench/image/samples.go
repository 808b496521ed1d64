package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/moset/moset/bench/figure"
)

// peerName is Debian's docker-registry in the figures, loadName docker load of a full archive.
const (
	peerName = "docker-registry"
	loadName = "load"
)

// samples are the times of every case, by case and by who.
type samples map[string]map[string]figure.Samples

func (s samples) add(what, who string, took time.Duration) {
	if s[what] == nil {
		s[what] = map[string]figure.Samples{}
	}
	s[what][who] = append(s[what][who], took)
}

// compare is the figure of a case: who beside peer, whose times may be of another case.
func (b *bench) compare(s samples, name, who, peer, of string, bound float64) figure.Figure {
	ours, theirs := s[name][who], s[of][peer]
	b.note("%s-%s: %s; %s: %s", name, who, spread(ours), peer, spread(theirs))
	f := figure.Figure{Name: name + "-" + who, Unit: "ms", Ours: figure.Milliseconds(ours.Median()), Peer: peer,
		Their: figure.Milliseconds(theirs.Median()), Goal: figure.Goal{Bound: bound}}
	if peer == loadName {
		f.Name += "-beside-load"
	}
	return f
}

// spread is median, minimum, maximum and number.
func spread(s figure.Samples) string {
	if len(s) == 0 {
		return "nothing measured"
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", figure.Milliseconds(d)) }
	return fmt.Sprintf("median %s ms, %s-%s, n=%d", ms(s.Median()), ms(slices.Min(s)), ms(s.Max()), len(s))
}
