package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moset/moset/pkg/set"
)

// cgroups keeps one parent cgroup for each set, on version 1 and version 2. Docker puts containers below
// it but never makes or removes it.
type cgroups struct {
	root   string // "/sys/fs/cgroup"
	parent string // "/moset"
}

// path of a set's cgroup as Docker wants it.
func (c cgroups) path(serverID string) string { return path.Join(c.parent, path.Base(serverID)) }

func (c cgroups) unified() bool {
	_, err := os.Stat(filepath.Join(c.root, "cgroup.controllers"))
	return err == nil
}

const cpuPeriod = 100_000 // microseconds

// limit is one control file and what to write to it. An optional one may be missing: the kernel has no such
// controller or was started without it.
type limit struct {
	controller, file, value string
	optional                bool
}

// limitsV1 and limitsV2 render a set's limits; "no limit" is written too, so that a limit can be lifted.
// Memory with swap may never be below memory, whatever the order of change: so it is lifted first.
func limitsV1(r set.Resources) []limit {
	quota, shares := "-1", "1024"
	if r.CPU > 0 {
		quota = strconv.FormatInt(int64(r.CPU)*cpuPeriod/1000, 10)
		shares = strconv.FormatInt(max(2, int64(r.CPU)*1024/1000), 10)
	}
	memory := orNone(int64(r.Memory), "-1")
	return []limit{
		{"cpu", "cpu.shares", shares, r.CPU == 0},
		{"cpu", "cpu.cfs_quota_us", quota, r.CPU == 0},
		{"memory", "memory.memsw.limit_in_bytes", "-1", true},
		{"memory", "memory.limit_in_bytes", memory, r.Memory == 0},
		{"memory", "memory.memsw.limit_in_bytes", memory, true},
		{"pids", "pids.max", orNone(r.Pids, "max"), r.Pids == 0},
	}
}

func limitsV2(r set.Resources) []limit {
	quota, weight := "max", "100"
	if r.CPU > 0 {
		quota = strconv.FormatInt(int64(r.CPU)*cpuPeriod/1000, 10)
		weight = strconv.FormatInt(min(10_000, max(1, int64(r.CPU)/10)), 10)
	}
	swap := "max"
	if r.Memory > 0 {
		swap = "0"
	}
	return []limit{
		{"", "cpu.weight", weight, r.CPU == 0},
		{"", "cpu.max", fmt.Sprintf("%s %d", quota, cpuPeriod), r.CPU == 0},
		{"", "memory.max", orNone(int64(r.Memory), "max"), r.Memory == 0},
		{"", "memory.swap.max", swap, true},
		{"", "pids.max", orNone(r.Pids, "max"), r.Pids == 0},
	}
}

func orNone(n int64, none string) string {
	if n == 0 {
		return none
	}
	return strconv.FormatInt(n, 10)
}

// make creates the set's cgroup and writes its limits.
func (c cgroups) make(serverID string, r set.Resources) error {
	limits := limitsV1(r)
	if c.unified() {
		limits = limitsV2(r)
		if err := c.delegate(); err != nil {
			return err
		}
	}
	for _, l := range limits {
		if err := c.writeSoon(serverID, l); err != nil && !l.optional {
			return fmt.Errorf("its limit %s=%s cannot be set: %w", l.file, l.value, err)
		}
	}
	return nil
}

// writeSoon tries for a moment what the kernel refuses: a container that was removed just now may leave a larger share
// behind until its last process is gone.
func (c cgroups) writeSoon(serverID string, l limit) error {
	err := c.write(serverID, l)
	for try := 0; try < 40 && !l.optional && errors.Is(err, syscall.EINVAL); try++ {
		time.Sleep(25 * time.Millisecond)
		err = c.write(serverID, l)
	}
	return err
}

func (c cgroups) write(serverID string, l limit) error {
	hierarchy := filepath.Join(c.root, l.controller)
	if _, err := os.Stat(hierarchy); err != nil {
		return err
	}
	dir := filepath.Join(hierarchy, c.path(serverID))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, l.file), os.O_WRONLY, 0) // a control file is there or not: never made
	if err != nil {
		return err
	}
	_, err = f.WriteString(l.value)
	return firstOf(err, f.Close())
}

// delegate hands the controllers down from the root to the parent's children (version 2).
func (c cgroups) delegate() error {
	dir := filepath.Join(c.root, c.parent)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for d := range ancestors(c.root, dir) {
		if err := os.WriteFile(filepath.Join(d, "cgroup.subtree_control"), []byte("+cpu +memory +pids"), 0o644); err != nil {
			return fmt.Errorf("cgroup controllers: %w", err)
		}
	}
	return nil
}

// ancestors yields root, then each directory on the way down to dir, dir included.
func ancestors(root, dir string) iter.Seq[string] {
	return func(yield func(string) bool) {
		rest, _ := filepath.Rel(root, dir) // dir was joined from root: it is below
		at := root
		for part := range strings.SplitSeq(rest, string(filepath.Separator)) {
			if !yield(at) {
				return
			}
			at = filepath.Join(at, part)
		}
		yield(at)
	}
}

// remove takes the set's cgroup out of every hierarchy, children first. The kernel may need a moment to let go.
func (c cgroups) remove(serverID string) error {
	dirs, err := filepath.Glob(filepath.Join(c.root, "*", c.path(serverID)))
	if err != nil {
		return err
	}
	dirs = append(dirs, filepath.Join(c.root, c.path(serverID)))
	for _, d := range dirs {
		if err := removeTree(d); err != nil {
			return fmt.Errorf("cgroup of the set: %w", err)
		}
	}
	return nil
}

func removeTree(dir string) error {
	var err error
	for range removeTries {
		if err = removeOnce(dir); err == nil || !errors.Is(err, syscall.EBUSY) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func removeOnce(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeOnce(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	err = syscall.Rmdir(dir) // os.Remove would try to unlink first
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return err
}
