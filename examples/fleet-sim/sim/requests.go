package sim

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// Request is a batch that arrives at one moment and leaves as a whole.
type Request struct {
	// At is the time of arrival in seconds.
	At float64
	// Lifetime is how long the sets stay, in seconds; 0 is for good.
	Lifetime float64
	sched.Batch
}

// ReadRequests reads a CSV file with a first line that names its columns: time and lifetime in seconds, id, count,
// group, the resources as in ReadHosts, and three lists with ; between their items: require (key=value|value, or
// !key=value for the opposite), spread (a label, or label! for a hard rule) and apart (the label that must differ
// between the sets of the group). Only id has to be there. The requests are sorted by time.
func ReadRequests(in io.Reader) ([]Request, error) {
	var requests []Request
	ids := map[string]bool{}
	names := known("time", "id", "count", "lifetime", "group", "require", "spread", "apart")
	err := readTable(in, names, func(r row) error {
		q, err := readRequest(r)
		if err != nil {
			return err
		}
		if ids[q.Set.ID] {
			return fmt.Errorf("the id %s is there twice", q.Set.ID)
		}
		ids[q.Set.ID] = true
		requests = append(requests, q)
		return q.Validate()
	})
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	slices.SortStableFunc(requests, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	return requests, nil
}

func readRequest(r row) (q Request, err error) {
	q.Set.ID, q.Set.Group = r.get("id"), r.get("group")
	if q.At, err = seconds(r, "time"); err != nil {
		return q, err
	}
	if q.Lifetime, err = seconds(r, "lifetime"); err != nil {
		return q, err
	}
	if text := r.get("count"); text != "" {
		if q.N, err = strconv.Atoi(text); err != nil {
			return q, fmt.Errorf("count is %q; give a whole number", text)
		}
	}
	if q.Set.Need, err = r.vector(); err != nil {
		return q, err
	}
	for _, text := range fields(r.get("require")) {
		q.Set.Require = append(q.Set.Require, selector(text))
	}
	for _, by := range fields(r.get("spread")) {
		by, hard := strings.CutSuffix(by, "!")
		q.Set.Spread = append(q.Set.Spread, sched.Spread{By: by, Hard: hard})
	}
	for _, by := range fields(r.get("apart")) {
		q.Set.AntiAffinity = append(q.Set.AntiAffinity, sched.AntiAffinity{By: by})
	}
	return q, nil
}

func seconds(r row, name string) (float64, error) {
	text := r.get(name)
	if text == "" {
		return 0, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0 && x < 1e12) {
		return 0, fmt.Errorf("%s is %q; give seconds from 0 up", name, text)
	}
	return x, nil
}

func selector(text string) sched.Selector {
	text, not := strings.CutPrefix(text, "!")
	key, values, some := strings.Cut(text, "=")
	s := sched.Selector{Key: key, Not: not}
	if some {
		s.Values = strings.Split(values, "|")
	}
	return s
}

// WriteRequests writes what ReadRequests reads.
func WriteRequests(out io.Writer, requests []Request) error {
	vectors := make([]sched.Vector, len(requests))
	for i := range requests {
		vectors[i] = requests[i].Set.Need
	}
	resources := used(vectors)
	head := []string{"time", "id"}
	for _, c := range resources {
		head = append(head, c.name)
	}
	lines := [][]string{append(head, "count", "lifetime", "group", "require", "spread", "apart")}
	for _, q := range requests {
		line := []string{number(q.At), q.Set.ID}
		for _, c := range resources {
			line = append(line, c.format(q.Set.Need[c.resource]))
		}
		lines = append(lines, append(line, q.rest()...))
	}
	if err := csv.NewWriter(out).WriteAll(lines); err != nil {
		return fmt.Errorf("write requests: %w", err)
	}
	return nil
}

func (q Request) rest() []string {
	var require, spread, apart []string
	for _, s := range q.Set.Require {
		if s.Not {
			require = append(require, "!"+s.String())
			continue
		}
		require = append(require, s.String())
	}
	for _, s := range q.Set.Spread {
		if s.Hard {
			s.By += "!"
		}
		spread = append(spread, s.By)
	}
	for _, a := range q.Set.AntiAffinity {
		apart = append(apart, a.By)
	}
	return []string{strconv.Itoa(max(1, q.N)), number(q.Lifetime), q.Set.Group,
		strings.Join(require, ";"), strings.Join(spread, ";"), strings.Join(apart, ";")}
}

func number(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}
