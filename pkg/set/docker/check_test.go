package docker

import (
	"testing"

	"github.com/docker/docker/api/types/system"
	"github.com/stretchr/testify/assert"
)

func TestEnginesThatCannotRunSets(t *testing.T) {
	good := system.Info{Architecture: "x86_64", CgroupDriver: "cgroupfs", LiveRestoreEnabled: true}
	noRestore, systemd, arm := good, good, good
	noRestore.LiveRestoreEnabled = false
	systemd.CgroupDriver = "systemd"
	arm.Architecture = "aarch64"
	for name, c := range map[string]struct {
		api    string
		info   system.Info
		strict bool
		want   string
	}{
		"fit":                       {"1.41", good, true, ""},
		"newer":                     {"1.51", good, true, ""},
		"too old":                   {"1.40", good, false, "upgrade"},
		"another architecture":      {"1.41", arm, false, "aarch64"},
		"systemd":                   {"1.41", systemd, false, "native.cgroupdriver=cgroupfs"},
		"no live-restore, lenient":  {"1.41", noRestore, false, ""},
		"no live-restore, refusing": {"1.41", noRestore, true, "--live-restore"},
	} {
		t.Run(name, func(t *testing.T) {
			reason := newEngine(t, Config{Strict: c.strict}).unfit(c.api, c.info)
			if c.want == "" {
				assert.Empty(t, reason)
				return
			}
			assert.Contains(t, reason, c.want)
		})
	}
}
