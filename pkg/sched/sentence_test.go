package sched_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/pkg/sched"
)

func TestCountsReadAsEnglish(t *testing.T) {
	for reason, want := range map[sched.Reason]string{
		"is cordoned":    "2 are cordoned",
		"was lost":       "2 were lost",
		"has no disk":    "2 have no disk",
		"does not reply": "2 do not reply",
		"lacks memory":   "2 lack memory",
		"misses a label": "2 miss a label",
		"carries a fan":  "2 carry a fan",
		"would tilt":     "2 would tilt",
		"fails":          "2 fail",
	} {
		assert.Equal(t, want, sched.Count{Reason: reason, Hosts: 2}.String())
		assert.Equal(t, "1 "+string(reason), sched.Count{Reason: reason, Hosts: 1}.String())
	}
}

func TestAmountsReadInTheirUnit(t *testing.T) {
	for want, got := range map[string]string{
		"1 core":                   sched.CPU.Format(1000),
		"0.25 cores":               sched.CPU.Format(250),
		"1.5 GiB":                  sched.Memory.Format(3 << 29),
		"-1 KiB":                   sched.Disk.Format(-1024),
		"100 Mbit/s":               sched.NetIn.Format(100_000_000),
		"12":                       sched.Pids.Format(12),
		"nothing":                  sched.Vector{}.String(),
		"resource 77":              sched.Resource(77).String(),
		"cpu 0.5 cores, custom7 3": sched.Vector{sched.CPU: 500, sched.Custom7: 3}.String(),
	} {
		assert.Equal(t, want, got)
	}
}
