package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json` and `go help buildjson`).
type event struct {
	Action, Package, Test, Output, ImportPath, Key, Value string
}

// counter tallies tests and holds each one's output until its verdict is known.
type counter struct {
	out                     io.Writer
	held                    map[string]*strings.Builder
	packages                map[string]string
	attributes              []string
	passed, failed, skipped int
	broken                  bool
}

func newCounter(out io.Writer) *counter {
	return &counter{out: out, held: map[string]*strings.Builder{}, packages: map[string]string{}}
}

// line takes one line; what is no event is the go command speaking, and passed on.
func (c *counter) line(raw []byte) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil || e.Action == "" {
		fmt.Fprintf(c.out, "%s\n", raw)
		return
	}
	switch e.Action {
	case "output":
		c.output(e)
	case "build-output":
		fmt.Fprint(c.out, e.Output)
	case "build-fail":
		c.broken = true
	case "attr": // what a test that passes wants said, see testing.T.Attr
		c.attributes = append(c.attributes, fmt.Sprintf("%s: %s: %s\n", e.Test, e.Key, e.Value))
	case "pass", "fail", "skip":
		c.verdict(e)
	}
}

func (c *counter) output(e event) {
	if e.Test == "" && isPackageLine(e.Output) {
		c.packages[e.Package] = e.Output
		return
	}
	if c.held[key(e)] == nil {
		c.held[key(e)] = &strings.Builder{}
	}
	c.held[key(e)].WriteString(e.Output)
}

func key(e event) string { return e.Package + "\x00" + e.Test }

// release prints what e's test said; of a failed package also what its unfinished tests said.
func (c *counter) release(e event) {
	for _, k := range slices.Sorted(maps.Keys(c.held)) {
		if k == key(e) || e.Test == "" && strings.HasPrefix(k, e.Package+"\x00") {
			fmt.Fprint(c.out, c.held[k])
			delete(c.held, k)
		}
	}
}

func (c *counter) verdict(e event) {
	if e.Action == "fail" || e.Action == "skip" && e.Test != "" {
		c.release(e)
	}
	delete(c.held, key(e))
	if e.Test == "" {
		c.broken = c.broken || e.Action == "fail"
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
	case "skip":
		c.skipped++
	}
}

// isPackageLine tells go test's one line for a package from the package's own output.
func isPackageLine(s string) bool {
	for _, prefix := range []string{"ok  \t", "FAIL\t", "?   \t", "\tgithub.com/"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// summary is go test's own line for each package, in order, the attributes and the count.
func (c *counter) summary() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.packages)) {
		b.WriteString(c.packages[name])
	}
	slices.Sort(c.attributes)
	b.WriteString(strings.Join(c.attributes, ""))
	fmt.Fprintf(&b, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	return b.String()
}

// ok reports that tests ran and every one of them passed.
func (c *counter) ok() bool {
	return !c.broken && c.passed > 0 && c.failed == 0 && c.skipped == 0
}
