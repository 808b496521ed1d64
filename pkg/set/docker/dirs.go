package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moset/moset/pkg/set"
)

// dirs is where a server's files are on the host.
type dirs string

func (e *Engine) dirs(serverID string) dirs {
	return dirs(filepath.Join(e.serversDir(), filepath.Base(serverID)))
}

func (e *Engine) serversDir() string { return filepath.Join(e.cfg.Root, "servers") }

func (d dirs) hosts() string             { return filepath.Join(string(d), "hosts") }
func (d dirs) resolv() string            { return filepath.Join(string(d), "resolv.conf") }
func (d dirs) volume(name string) string { return filepath.Join(string(d), "volumes", name) }

// make creates volumes and generated files; what exists keeps its content. Nobody but root can reach them
// from the host: a container's root may leave a setuid program in a volume.
func (d dirs) make(a set.Assignment) error {
	if err := os.MkdirAll(filepath.Join(string(d), "volumes"), 0o700); err != nil {
		return err
	}
	for _, v := range a.Spec.Volumes {
		if err := makeVolume(d.volume(v.Name)); err != nil {
			return err
		}
	}
	return firstOf(writeIfNew(d.hosts(), hostsFile(a)), writeIfNew(d.resolv(), resolvFile(a)))
}

// makeVolume leaves the mode of a volume that exists alone: a database, say, may have closed it. It comes
// up with its mode under its name, or not at all.
func makeVolume(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	half := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir))
	if err := os.MkdirAll(half, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(half, 0o777|os.ModeSticky); err != nil {
		return err
	}
	return os.Rename(half, dir)
}

// writeIfNew keeps the file, and thus what is mounted in containers, where it is.
func writeIfNew(name, content string) error {
	if have, err := os.ReadFile(name); err == nil && string(have) == content {
		return nil
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

func (d dirs) remove() error { return os.RemoveAll(string(d)) }

func hostsFile(a set.Assignment) string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost\n")
	for _, ad := range a.Addresses {
		fmt.Fprintf(&b, "%s %s\n", ad.Prefix.Addr(), a.Name)
	}
	return b.String()
}

func resolvFile(a set.Assignment) string {
	var b strings.Builder
	for _, d := range a.Spec.DNS {
		fmt.Fprintf(&b, "nameserver %s\n", d)
	}
	return b.String()
}
