package authn_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
)

// keystone is a Verifier whose answers and clock a test sets.
type keystone struct {
	mu      sync.Mutex
	now     time.Time
	calls   int
	err     error
	expires time.Duration
	gate    chan struct{} // when not nil, an answer waits for it
}

func newKeystone() *keystone {
	return &keystone{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), expires: time.Hour}
}

func (k *keystone) Verify(ctx context.Context, token string) (*authn.Identity, error) {
	k.mu.Lock()
	k.calls++
	gate, err := k.gate, k.err
	id := &authn.Identity{UserName: token, ProjectID: "p", ExpiresAt: k.now.Add(k.expires)}
	k.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", authn.ErrUnavailable, ctx.Err())
		}
	}
	if err != nil {
		return nil, err
	}
	return id, nil
}

func (k *keystone) clock() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *keystone) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

func (k *keystone) asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

func (k *keystone) cached(cfg authn.CacheConfig) *authn.Cached {
	cfg.Clock = k.clock
	return authn.NewCached(k, cfg)
}

func TestAnAnswerHoldsForItsTTL(t *testing.T) {
	k := newKeystone()
	c := k.cached(authn.CacheConfig{TTL: time.Minute})
	for range 3 {
		id, err := c.Verify(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, "a", id.UserName)
	}
	assert.Equal(t, 1, k.asked())
	k.set(func() { k.now = k.now.Add(time.Minute) })
	_, err := c.Verify(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, 2, k.asked())
}

func TestNoAnswerOutlivesItsToken(t *testing.T) {
	k := newKeystone()
	k.expires = 10 * time.Second
	c := k.cached(authn.CacheConfig{TTL: time.Minute, StaleIfDown: time.Hour})
	_, err := c.Verify(t.Context(), "a")
	require.NoError(t, err)
	k.set(func() { k.now, k.err = k.now.Add(10*time.Second), authn.ErrUnavailable })
	_, err = c.Verify(t.Context(), "a")
	assert.ErrorIs(t, err, authn.ErrUnavailable)
}

func TestAnInvalidTokenIsNotAskedAboutAgainSoon(t *testing.T) {
	k := newKeystone()
	k.err = authn.ErrInvalidToken
	c := k.cached(authn.CacheConfig{NegativeTTL: 10 * time.Second})
	for range 5 {
		_, err := c.Verify(t.Context(), "bad")
		assert.ErrorIs(t, err, authn.ErrInvalidToken)
	}
	assert.Equal(t, 1, k.asked())
	k.set(func() { k.now = k.now.Add(10 * time.Second) })
	_, _ = c.Verify(t.Context(), "bad")
	assert.Equal(t, 2, k.asked())
}

func TestAnOutageIsNeitherKeptNorTakenForARefusal(t *testing.T) {
	k := newKeystone()
	k.err = authn.ErrUnavailable
	c := k.cached(authn.CacheConfig{})
	_, err := c.Verify(t.Context(), "a")
	require.ErrorIs(t, err, authn.ErrUnavailable)
	k.set(func() { k.err = nil })
	_, err = c.Verify(t.Context(), "a")
	assert.NoError(t, err)
}

func TestStaleAnswersServeAnOutageOnlyWhenAllowed(t *testing.T) {
	for stale, want := range map[time.Duration]error{0: authn.ErrUnavailable, time.Minute: nil} {
		k := newKeystone()
		c := k.cached(authn.CacheConfig{TTL: time.Minute, StaleIfDown: stale})
		_, err := c.Verify(t.Context(), "a")
		require.NoError(t, err)
		k.set(func() { k.now, k.err = k.now.Add(90*time.Second), authn.ErrUnavailable })
		_, err = c.Verify(t.Context(), "a")
		assert.ErrorIs(t, err, want)
	}
}

func TestAThousandFirstUsesAskOnce(t *testing.T) {
	k := newKeystone()
	k.gate = make(chan struct{})
	c := k.cached(authn.CacheConfig{})
	var all sync.WaitGroup
	var good atomic.Int64
	for range 1000 {
		all.Go(func() {
			if id, err := c.Verify(context.Background(), "a"); err == nil && id.UserName == "a" {
				good.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return k.asked() == 1 }, time.Second, time.Millisecond)
	close(k.gate)
	all.Wait()
	assert.EqualValues(t, 1000, good.Load())
	assert.Equal(t, 1, k.asked())
}

func TestACallerThatLeavesDoesNotEndTheQuestion(t *testing.T) {
	k := newKeystone()
	k.gate = make(chan struct{})
	c := k.cached(authn.CacheConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := c.Verify(ctx, "a"); left <- err }()
	require.Eventually(t, func() bool { return k.asked() == 1 }, time.Second, time.Millisecond)
	cancel()
	assert.ErrorIs(t, <-left, context.Canceled)
	close(k.gate)
	_, err := c.Verify(t.Context(), "a")
	assert.NoError(t, err)
	assert.Equal(t, 1, k.asked(), "the second caller got the first one's answer")
}

func TestTheCacheIsBoundedAndForgetsTheLeastUsed(t *testing.T) {
	k := newKeystone()
	c := k.cached(authn.CacheConfig{MaxEntries: 10})
	for i := range 11 {
		_, _ = c.Verify(t.Context(), strconv.Itoa(i))
		_, _ = c.Verify(t.Context(), "0") // stays in use
	}
	before := k.asked()
	_, _ = c.Verify(t.Context(), "0")
	assert.Equal(t, before, k.asked())
	_, _ = c.Verify(t.Context(), "1")
	assert.Equal(t, before+1, k.asked())
}

func TestAForgottenTokenIsAskedAboutAgain(t *testing.T) {
	k := newKeystone()
	c := k.cached(authn.CacheConfig{})
	_, _ = c.Verify(t.Context(), "a")
	c.Forget("a")
	c.Forget("unknown")
	_, _ = c.Verify(t.Context(), "a")
	assert.Equal(t, 2, k.asked())
}

func BenchmarkCachedVerify(b *testing.B) {
	c := authn.NewCached(newKeystone(), authn.CacheConfig{Clock: newKeystone().clock})
	token := "gAAAAABm0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}
