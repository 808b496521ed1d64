package agent

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/moset/moset/pkg/set"
)

// MachineCapacity reads what this machine has: all cores, all memory, and the kernel's limit of processes.
func MachineCapacity() (set.Resources, error) {
	memory, err := memTotal("/proc/meminfo")
	if err != nil {
		return set.Resources{}, err
	}
	return set.Resources{CPU: set.MilliCPU(runtime.NumCPU() * 1000), Memory: memory, Pids: pidMax("/proc/sys/kernel/pid_max")}, nil
}

func memTotal(path string) (set.Bytes, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return set.Bytes(kib << 10), nil
		}
	}
	return 0, fmt.Errorf("read the machine's memory: %s has no MemTotal", path)
}

func pidMax(path string) int64 {
	const fallback = 32768 // the kernel's own default
	b, err := os.ReadFile(path)
	if err != nil {
		return fallback
	}
	var n int64 = fallback
	_, _ = fmt.Sscan(strings.TrimSpace(string(b)), &n)
	return n
}
