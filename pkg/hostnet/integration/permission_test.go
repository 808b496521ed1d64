package integration

import (
	"runtime"
	"testing"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOpenWithoutRootSaysSo(t *testing.T) {
	cfg := newRig(t).config(owner)
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine, and its user id with it
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			result <- errno
			return
		}
		_, err := hostnet.Open(t.Context(), cfg)
		result <- err
	}()
	err := <-result
	require.ErrorIs(t, err, hostnet.ErrPermission)
	assert.ErrorContains(t, err, "run this as root")
}
