package command

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/daemons/region/controller"
)

func TestFitIsOneSentenceAndFailsWhenTooFewFit(t *testing.T) {
	why := "0 of 2 hosts fit: 2 lack memory (4 GiB needed, at most 1 GiB free)"
	for want, c := range map[string]struct {
		f      controller.Forecast
		wanted int
		code   int
	}{
		"7 servers fit on 2 hosts; for one more " + why: {controller.Forecast{Fit: 7, Hosts: 2, Why: why}, 7, 0},
		"1 server fits on 1 host; for one more " + why:  {controller.Forecast{Fit: 1, Hosts: 1, Why: why}, 2, 5},
		"1000 servers fit on 9 hosts, and more":         {controller.Forecast{Fit: 1000, Hosts: 9, Limited: true}, 0, 0},
		"none fits: " + why:                             {controller.Forecast{Why: why}, 1, 5},
	} {
		var out bytes.Buffer
		a := &app{out: &out}
		assert.Equal(t, c.code, exitCode(a.tellFit(c.f, c.wanted)))
		assert.Equal(t, want+"\n", out.String())
	}
}
