// Package faults holds the tests of what breaks: daemons killed at any moment, services that are down, hosts
// that answer nonsense. They run the daemons as separate processes on a real Docker Engine and Open vSwitch.
// MOSET_SOAK, a duration such as 10m, makes the sweeps go on for so long instead of seconds.
package faults

import (
	"os"
	"testing"

	"github.com/moset/moset/test/process"
)

var programs process.Programs

func TestMain(m *testing.M) { os.Exit(process.Main(m, &programs)) }
