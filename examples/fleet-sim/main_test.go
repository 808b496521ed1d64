package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/examples/fleet-sim/sim"
)

// fleetSim runs the command and returns what it prints.
func fleetSim(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), args, &out))
	return out.String()
}

func TestTheFilesOfTheFolderAreReplayedAndDrawn(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "fleet.svg")
	out := fleetSim(t, "-svg", picture)
	assert.Contains(t, out, "requests placed  1796 of 1796")
	assert.Contains(t, out, "a plan takes")
	for _, path := range []string{picture, "fleet.svg"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		d := xml.NewDecoder(bytes.NewReader(text))
		for err == nil {
			_, err = d.Token()
		}
		require.True(t, errors.Is(err, io.EOF), "%s is no XML: %v", path, err)
		assert.Equal(t, 120, strings.Count(string(text), "<title>host-"), "a cell for each host")
		assert.NotContains(t, string(text), "%!")
	}
}

func TestGeneratedFilesAreReplayedAsJSON(t *testing.T) {
	dir := t.TempDir()
	files := []string{"-hosts", filepath.Join(dir, "h.csv"), "-requests", filepath.Join(dir, "r.csv")}
	assert.Empty(t, fleetSim(t, append(files, "-generate", "devices", "-mix", "services", "-n", "30", "-load", ".5", "-stay", ".3", "-seed", "3")...))
	for _, policy := range sim.Policies() {
		var r sim.Result
		require.NoError(t, json.Unmarshal([]byte(fleetSim(t, append(files, "-policy", policy, "-json")...)), &r))
		assert.Equal(t, policy, r.Policy)
		assert.Equal(t, 30, r.Hosts)
		assert.Positive(t, r.Placed)
		assert.LessOrEqual(t, r.Placed, r.Requests)
		assert.LessOrEqual(t, r.Bound, r.Used)
		assert.LessOrEqual(t, r.Used, r.Hosts)
		assert.Positive(t, r.Plan.P50)
		assert.LessOrEqual(t, r.Plan.P50, r.Plan.Max)
		require.Len(t, r.Resources, 5, "cpu, memory, disk, gpu and fpga")
		for _, s := range r.Resources {
			assert.True(t, s.InUse >= 0 && s.InUse <= 1 && s.Fragmented >= 0 && s.Fragmented <= 1, "%+v", s)
		}
	}
}

func TestPoliciesAreCompared(t *testing.T) {
	out := fleetSim(t, "-compare", "-seeds", "1", "-size", "20")
	assert.Contains(t, out, "of the work asked for")
	assert.Contains(t, out, "hosts used / lower bound")
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	for want, args := range map[string][]string{
		"no-such.csv":                       {"-hosts", "no-such.csv"},
		`the policy "best" is not known`:    {"-policy", "best"},
		`the fleet "huge" is not known`:     {"-generate", "huge"},
		"requests.csv: read hosts":          {"-hosts", "requests.csv"},
		"hosts.csv: read requests":          {"-requests", "hosts.csv"},
		"flag provided but not defined: -x": {"-x"},
	} {
		assert.ErrorContains(t, run(t.Context(), args, io.Discard), want)
	}
}
