package hostnet

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
)

func TestAListThatChangedWhileItWasReadIsReadAgain(t *testing.T) {
	reads := 0
	list, err := dump(func() ([]int, error) {
		if reads++; reads < 3 {
			return []int{1}, netlink.ErrDumpInterrupted
		}
		return []int{1, 2}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, list)
}

func TestAListThatNeverHoldsStillIsAnError(t *testing.T) {
	list, err := dump(func() ([]int, error) { return []int{1}, netlink.ErrDumpInterrupted })
	require.ErrorIs(t, err, ErrUnavailable, "it is worth another try")
	assert.Empty(t, list, "half a list would say that links are gone")
}

func TestOtherErrorsOfAListAreNotTriedAgain(t *testing.T) {
	reads := 0
	_, err := dump(func() ([]int, error) { reads++; return nil, os.ErrPermission })
	require.ErrorIs(t, err, os.ErrPermission)
	assert.Equal(t, 1, reads)
}
