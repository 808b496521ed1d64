package hostnet

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersAreNotGivenTwiceAndComeBackLast(t *testing.T) {
	var n numberer
	used := map[int]bool{firstNumber + 1: true}
	first, err := n.next(used)
	require.NoError(t, err)
	assert.Equal(t, firstNumber, first)
	delete(used, first)
	second, err := n.next(used)
	require.NoError(t, err)
	assert.Equal(t, firstNumber+2, second)
	n.last = lastNumber
	third, err := n.next(used)
	require.NoError(t, err)
	assert.Equal(t, firstNumber, third)
}

func TestNumbersRunOut(t *testing.T) {
	used := map[int]bool{}
	for i := firstNumber; i <= lastNumber; i++ {
		used[i] = true
	}
	_, err := new(numberer).next(used)
	assert.ErrorIs(t, err, ErrUnavailable)
}

func TestHostLinkNamesFitAndDiffer(t *testing.T) {
	a, b := newHostIf(), newHostIf()
	assert.LessOrEqual(t, len(a), 15)
	assert.NotEqual(t, a, b)
}
