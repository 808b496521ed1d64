package docker

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func TestASlowListenerHoldsNobodyUpAndMissesNoEnd(t *testing.T) {
	goOn := make(chan struct{})
	var got []Event
	m := newMailbox(func(e Event) {
		<-goOn
		got = append(got, e)
	})
	m.put(Event{Kind: Checking})
	for n := range int64(10_000) { // returns although nobody listens
		m.put(Event{Kind: Downloading, Layer: "a", Done: n})
		m.put(Event{Kind: Downloading, Layer: "b", Done: n})
	}
	m.put(Event{Kind: Ready, Layer: "a"})
	m.put(Event{Kind: Complete})
	close(goOn)
	m.close()
	m.put(Event{Kind: Complete}) // after the end: nothing
	require.Less(t, len(got), 10)
	assert.Equal(t, Checking, got[0].Kind)
	last := map[string]int64{}
	for _, e := range got {
		assert.GreaterOrEqual(t, e.Done, last[e.Layer]*btoi(e.Kind == Downloading))
		if e.Kind == Downloading {
			last[e.Layer] = e.Done
		}
	}
	assert.Equal(t, map[string]int64{"a": 9999, "b": 9999}, last)
	assert.Equal(t, []Event{{Kind: Ready, Layer: "a"}, {Kind: Complete}}, got[len(got)-2:])
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func TestWaitsBetweenTriesGrowAreSpreadAndBounded(t *testing.T) {
	c := &Client{cfg: Config{Backoff: time.Second}}
	seen := map[time.Duration]bool{}
	for try := range 100 {
		wait, middle := c.backoff(try), min(time.Second<<min(try, 16), maxBackoff)
		assert.GreaterOrEqual(t, wait, middle*3/4)
		assert.LessOrEqual(t, wait, middle*5/4+1)
		seen[wait] = true
	}
	assert.Greater(t, len(seen), 50)
}

func TestARetryIsToldWithItsCause(t *testing.T) {
	w := newWorld(t)
	answers := make(chan int, 2)
	answers <- 503
	answers <- 200
	w.heads.Store("alice", func() int { return <-answers })
	var kinds []Kind
	var cause error
	_, err := w.Pull(t.Context(), request("alice"), func(e Event) {
		kinds = append(kinds, e.Kind)
		if e.Kind == Retrying {
			cause = e.Cause
			assert.Positive(t, e.Wait)
			assert.Equal(t, 1, e.Attempt)
		}
	})
	require.NoError(t, err)
	assert.Equal(t, []Kind{Checking, Retrying, Complete}, kinds)
	require.ErrorIs(t, cause, image.ErrUnavailable)
}

func TestOfLayersOnTheirWayTheLowestDecides(t *testing.T) {
	var l loads
	other, end := l.begin([]string{"1", "12", "123"})
	require.Nil(t, other)
	waits, _ := l.begin([]string{"1", "1b"})
	require.NotNil(t, waits)
	free, freeEnd := l.begin([]string{"x"})
	require.Nil(t, free)
	freeEnd()
	var woken sync.WaitGroup
	woken.Go(func() { <-waits })
	end()
	woken.Wait()
	again, end := l.begin([]string{"12", "1b"})
	require.Nil(t, again)
	end()
	none, end := l.begin(nil)
	require.Nil(t, none)
	end()
	require.Empty(t, l.on)
}

func TestAFullDiskIsSaidBeforeAnythingMoves(t *testing.T) {
	free := int64(0)
	c := &Client{cfg: Config{FreeSpace: func(dir string) (int64, error) {
		if free < 0 {
			return 0, errors.New("not on this machine")
		}
		return free, nil
	}}}
	w := newWorld(t)
	c.docker = w.docker
	require.NoError(t, c.makeRoom(t.Context(), Missing{Bytes: 1}), "an engine that does not say where its layers are")
	w.root.Store("/somewhere")
	for _, at := range []struct {
		free, missing int64
		full          bool
	}{{0, 0, false}, {1, 1, true}, {2, 1, false}, {99, 50, true}, {-1, 50, false}} {
		free = at.free
		err := c.makeRoom(t.Context(), Missing{Bytes: at.missing})
		assert.Equal(t, at.full, errors.Is(err, ErrNoSpace), fmt.Sprint(at))
	}
	free, err := freeSpace(t.TempDir())
	require.NoError(t, err)
	require.Positive(t, free)
	_, err = freeSpace("/nonexistent/directory")
	require.Error(t, err)
}
