package image

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func chainOf(top string, records ...Layer) ([]string, error) {
	var ids []string
	for l, err := range Chain(top, records) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, l.ID)
	}
	return ids, nil
}

func TestAChainIsFollowedToItsBase(t *testing.T) {
	ids, err := chainOf("c", Layer{ID: "a"}, Layer{ID: "c", Parent: "b"}, Layer{ID: "x", Parent: "a"}, Layer{ID: "b", Parent: "a"})
	require.NoError(t, err)
	require.Equal(t, []string{"c", "b", "a"}, ids)
}

func TestAGapAndACycleAreNoticed(t *testing.T) {
	ids, err := chainOf("c", Layer{ID: "c", Parent: "b"}, Layer{ID: "a"})
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, []string{"c"}, ids)
	ids, err = chainOf("b", Layer{ID: "b", Parent: "a"}, Layer{ID: "a", Parent: "b"})
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, []string{"b", "a"}, ids)
}

func TestAWalkStopsWhenItsReaderDoes(t *testing.T) {
	n := 0
	for range Chain("b", []Layer{{ID: "b", Parent: "a"}, {ID: "a"}}) {
		n++
		break
	}
	require.Equal(t, 1, n)
}

func TestProgressCountsEveryByte(t *testing.T) {
	var last Event
	r := Track(strings.NewReader("0123456789"), Event{Repo: "demo/app", Done: 5, Total: 15}, func(e Event) { last = e })
	_, err := io.Copy(io.Discard, r)
	require.NoError(t, err)
	require.Equal(t, Event{Repo: "demo/app", Done: 15, Total: 15}, last)
	plain := strings.NewReader("x")
	require.Same(t, io.Reader(plain), Track(plain, Event{}, nil))
}

func TestAnErrorIsOneSentenceAndKeepsItsKind(t *testing.T) {
	err := error(&Error{Op: "read blob", ID: "x", Err: ErrNotFound})
	require.EqualError(t, err, "read blob x: not found")
	require.True(t, errors.Is(err, ErrNotFound))
	require.EqualError(t, &Error{Op: "list", Err: ErrUnavailable}, "list: image store unavailable")
}
