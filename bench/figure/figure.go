// Package figure prints measured figures: one line each, in the one form that every bench of moset uses.
//
//	bench <name> ours=<value><unit> <peer>=<value><unit> ratio=<ours/peer> goal<=<x> met|missed
//
// The goal is about the ratio. A figure without a peer has neither the peer's field nor a ratio, and its goal
// is about ours, in ours' unit.
package figure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Figure is one measured figure.
type Figure struct {
	Name  string  // words joined by dashes, such as "pull-200MiB"
	Unit  string  // of Ours and Their, such as "ms"; may be empty
	Ours  float64 // what moset measured
	Peer  string  // one word for what it was measured beside; empty: nothing
	Their float64 // what the peer measured; above zero
	Goal  Goal
}

// Goal is a bound that a figure should keep.
type Goal struct {
	Bound   float64
	AtLeast bool // more is better
}

// Ratio is ours / peer, NaN without a peer.
func (f Figure) Ratio() float64 {
	if f.Peer == "" {
		return math.NaN()
	}
	return f.Ours / f.Their
}

// Met says whether the figure keeps its goal, judged by the digits that String shows.
func (f Figure) Met() bool {
	judged := f.Ours
	if f.Peer != "" {
		judged = f.Ratio()
	}
	shown, err := strconv.ParseFloat(digits(judged), 64)
	switch {
	case err != nil || math.IsNaN(shown) || math.IsInf(shown, 0):
		return false
	case f.Goal.AtLeast:
		return shown >= f.Goal.Bound
	}
	return shown <= f.Goal.Bound
}

// String is the figure's line, without a line break.
func (f Figure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "bench %s ours=%s%s", f.Name, digits(f.Ours), f.Unit)
	if f.Peer != "" {
		fmt.Fprintf(&b, " %s=%s%s ratio=%s", f.Peer, digits(f.Their), f.Unit, digits(f.Ratio()))
	}
	sign, verdict := "<=", "missed"
	if f.Goal.AtLeast {
		sign = ">="
	}
	if f.Met() {
		verdict = "met"
	}
	fmt.Fprintf(&b, " goal%s%s %s", sign, strconv.FormatFloat(f.Goal.Bound, 'f', -1, 64), verdict)
	return b.String()
}

// digits gives three digits that count, more only in front of the point.
func digits(v float64) string {
	decimals := 2
	for limit := 10.0; decimals > 0 && math.Abs(v) >= limit; limit *= 10 {
		decimals--
	}
	for low := 1.0; v != 0 && math.Abs(v) < low && decimals < 6; low /= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
