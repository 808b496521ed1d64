package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryRowIsMeasuredOnASmallFleet(t *testing.T) {
	var out, notes bytes.Buffer
	args := []string{"-hosts", "40,60", "-racks", "8", "-batch", "20", "-time", "0s"}
	require.NoError(t, run(context.Background(), args, &out, &notes), notes.String())
	for _, hosts := range []string{"40", "60"} {
		for _, line := range []string{
			"pack-on-H ours=N/cpu-s goal>=100000", "pack-on-H-p99 ours=Nms goal<=5",
			"pack-on-H-hosts-used ours=N lower-bound=N ratio=N goal<=1.03",
			"spread-on-H ours=N/cpu-s goal>=56000", "spread-on-H-p99 ours=Nms goal<=5",
			"plugin-on-H ours=N/cpu-s goal>=4000", "shapes-on-H ours=N/cpu-s goal>=20000",
			"race-on-H-conflicts-of-2 ours=N goal<=0.02", "race-on-H-conflicts-of-8 ours=N goal<=0.02",
			"memory-on-H-per-host-and-class ours=NB goal<=20",
		} {
			assert.Regexp(t, pattern(line, hosts), out.String())
		}
	}
	assert.Regexp(t, `(?m)^moset +pack +60 +5 +1 +240 `, notes.String())
	assert.Regexp(t, `(?m)^moset +race +60 +5 +8 +60 .*%`, notes.String())
	assert.NotContains(t, out.String(), "NaN")
}

// pattern is the line with H for the hosts and N for a number.
func pattern(line, hosts string) *regexp.Regexp {
	text := regexp.QuoteMeta("bench sched-" + line)
	text = regexp.MustCompile(`=N`).ReplaceAllString(text, `=[0-9.]+`)
	return regexp.MustCompile(`(?m)^` + regexp.MustCompile(`-H`).ReplaceAllString(text, "-"+hosts) + ` (met|missed)$`)
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	for want, args := range map[string][]string{
		`there is no row "packs": choose of pack, spread, plugin, shapes, race, seeds, memory`:      {"-only", "packs"},
		`"99" hosts will not do: a batch of 100 that may not share hosts needs as many`:             {"-hosts", "99"},
		`"many" hosts will not do: a batch of 100 that may not share hosts needs as many`:           {"-hosts", "many"},
		`batches of 0 on 50 racks: give at least one of each`:                                       {"-batch", "0"},
		`build the peer nomad, for which the Go module proxy must be in reach: exit status 1`:       {"-peers", "-peers-from", t.TempDir()},
		`open ` + filepath.Join(os.TempDir(), "no", "such", "file") + `: no such file or directory`: {"-cpuprofile", filepath.Join(os.TempDir(), "no", "such", "file")},
	} {
		assert.EqualError(t, run(context.Background(), args, new(bytes.Buffer), new(bytes.Buffer)), want)
	}
}
