package main

import (
	"slices"
	"strings"
	"time"

	"github.com/moset/moset/bench/figure"
)

// showSpans prints the medians of where the time of creates went, all from the POST.
func showSpans(l *lab, all []life) {
	spans := map[string][2]figure.Samples{} // begin, length
	var order []string
	add := func(name string, begin, length time.Duration) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		s := spans[name]
		spans[name] = [2]figure.Samples{append(s[0], begin), append(s[1], length)}
	}
	for _, one := range all {
		add("POST to 202", 0, one.accepted)
		for _, s := range one.task.Steps {
			add(strings.TrimSpace(s.Name), s.StartedAt.Sub(one.begun), s.EndedAt.Sub(s.StartedAt))
		}
		add("page arrives", one.reachable, 0)
		add("task has ended", one.done, 0)
	}
	l.note("%-16s %9s %9s", "span (medians)", "at ms", "takes ms")
	for _, name := range order {
		l.note("%-16s %9.1f %9.1f", name, figure.Milliseconds(spans[name][0].Median()), figure.Milliseconds(spans[name][1].Median()))
	}
}
