package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is a peer that is a script.
func program(t *testing.T, p *peers, module, script string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, module), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// benchWith was filled with 4,000 packed sets at 100,000 for each second.
func benchWith(out, notes *bytes.Buffer) *bench {
	b := &bench{out: out, notes: notes, racks: 50, batch: 100}
	b.filled = []filled{{row: rows()[0], trial: &trial{meter: meter{cpu: 40 * time.Millisecond}, placed: 4000}}}
	return b
}

func TestAPeerIsAskedForTheSameAndPutBeside(t *testing.T) {
	var out, notes bytes.Buffer
	p := &peers{t.TempDir()}
	program(t, p, "nomad", `echo "$*" >"$0.args"; echo '{"placed":4000,"hosts_used":500,"wall_s":1.6,"cpu_s":2,"batch_p50_ms":3,"batch_p99_ms":4}'`)
	program(t, p, "kube", `echo "$*" >>"$0.args"; echo '{"placed":4000,"hosts_used":999,"wall_s":8,"cpu_s":4,"batch_p50_ms":3,"batch_p99_ms":4}'`)
	require.NoError(t, benchWith(&out, &notes).compare(context.Background(), p, 1000))
	assert.Equal(t, `bench sched-pack-on-1000-beside-nomad ours=100000/cpu-s nomad=2000/cpu-s ratio=50.0 goal>=50 met
bench sched-pack-on-1000-beside-kube ours=100000/cpu-s kube=1000/cpu-s ratio=100 goal>=200 missed
bench sched-pack-on-1000-beside-kube-most ours=100000/cpu-s kube-most=1000/cpu-s ratio=100 goal>=200 missed
`, out.String())
	assert.Regexp(t, `(?m)^nomad +pack +1000 +5 +1 +4000 +1 +2000 +2500 +3.00 +4.00 +- +- +- +500 \(475\)$`, notes.String())
	const workload = "-policy pack -hosts 1000 -racks 50 -sets 4000 -batch 100 -shapes 1000:2048,2000:4096,4000:8192,4000:16384,8000:16384"
	assertFile(t, p.dir+"/nomad.args", workload+"\n")
	assertFile(t, p.dir+"/kube.args", workload+" -profile default\n"+workload+" -profile most\n")
}

func assertFile(t *testing.T, name, want string) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
}

func TestAPeerThatFailsFailsTheBenchAfterTheOthersHaveRun(t *testing.T) {
	for want, script := range map[string]string{
		"exit status 3: no node":                                                        `echo no node >&2; exit 3`,
		"it placed 3999 of 4000 sets in 2 s of processor time":                          `echo '{"placed":3999,"cpu_s":2}'`,
		"it placed 4000 of 4000 sets in 0 s of processor time":                          `echo '{"placed":4000}'`,
		"its line cannot be read: invalid character 'p' looking for beginning of value": `echo placed`,
	} {
		var out, notes bytes.Buffer
		p := &peers{t.TempDir()}
		program(t, p, "nomad", script)
		program(t, p, "kube", `echo '{"placed":4000,"cpu_s":4}'`)
		err := benchWith(&out, &notes).compare(context.Background(), p, 1000)
		assert.EqualError(t, err, "nomad, pack on 1000 hosts: "+want)
		assert.NotContains(t, out.String(), "nomad")
		assert.Contains(t, out.String(), "kube-most=1000/cpu-s")
	}
}

func TestPeersAreOnlyRunForRowsThatWereMeasured(t *testing.T) {
	b := &bench{filled: []filled{{row: rows()[2]}}}
	assert.Len(t, b.against("nomad", "pack"), 1)
	assert.Empty(t, b.against("nomad", "spread"))
	assert.Empty(t, b.against("kube-most", "pack"))
}
