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
	return dirs(filepath.Join(e.cfg.Root, "servers", filepath.Base(serverID)))
}

func (d dirs) hosts() string             { return filepath.Join(string(d), "hosts") }
func (d dirs) resolv() string            { return filepath.Join(string(d), "resolv.conf") }
func (d dirs) volume(name string) string { return filepath.Join(string(d), "volumes", name) }

// make creates volumes and generated files; what exists keeps its content.
func (d dirs) make(a set.Assignment) error {
	if err := os.MkdirAll(filepath.Join(string(d), "volumes"), 0o711); err != nil {
		return err
	}
	for _, v := range a.Spec.Volumes {
		if err := os.MkdirAll(d.volume(v.Name), 0o755); err != nil {
			return err
		}
		if err := os.Chmod(d.volume(v.Name), 0o777|os.ModeSticky); err != nil {
			return err
		}
	}
	if err := os.WriteFile(d.hosts(), []byte(hostsFile(a)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(d.resolv(), []byte(resolvFile(a)), 0o644)
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
