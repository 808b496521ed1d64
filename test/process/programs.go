package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Programs is the directory with the programs region, host, registry and moset.
type Programs string

// Build compiles the programs into dir, which has to exist.
func Build(dir string) (Programs, error) {
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, name := range []string{"region", "host", "registry", "moset"} {
		args = append(args, "github.com/moset/moset/daemons/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the daemons: %w: %s", err, out)
	}
	return Programs(dir), nil
}

// Main is for TestMain: it checks the environment, builds the programs once and runs the tests. It returns
// the exit code.
func Main(m *testing.M, programs *Programs) int {
	code, err := run(m, programs)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

func run(m *testing.M, programs *Programs) (code int, err error) {
	for _, name := range []string{"MOSET_TEST_DOCKER", "MOSET_TEST_OVS_RUNDIR"} {
		if os.Getenv(name) == "" {
			return 1, fmt.Errorf("%s is not set: run these tests with make test", name)
		}
	}
	dir, err := os.MkdirTemp("", "moset-programs-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if *programs, err = Build(dir); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
