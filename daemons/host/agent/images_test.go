package agent

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

type fakePuller struct {
	asked   imagedocker.Request
	refuses string // token
	err     error
}

func (p *fakePuller) Pull(_ context.Context, r imagedocker.Request, progress func(imagedocker.Event)) (string, error) {
	p.asked = r
	progress(imagedocker.Event{Kind: imagedocker.Downloading, AllDone: 1, AllTotal: 2})
	if p.refuses != "" && r.Token == p.refuses {
		return "", fmt.Errorf("pull %s: %w", r.Repository, image.ErrUnauthorized)
	}
	return "local-1", p.err
}

type fakeTokens struct{ err error }

func (f fakeTokens) Token(context.Context) (string, error) { return "hosts-own", f.err }

func TestImageIsPulledByDigestWithTheBestToken(t *testing.T) {
	for name, c := range map[string]struct {
		given set.Secret
		own   TokenSource
		want  string
	}{
		"the creator's":           {"creators", fakeTokens{}, "creators"},
		"the host's own":          {"", fakeTokens{}, "hosts-own"},
		"none":                    {"", nil, ""},
		"creator's, host has one": {"creators", nil, "creators"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &fakePuller{}
			seen := int64(0)
			id, err := images{p, c.own}.Ensure(t.Context(), set.ImageRequest{Image: set.Image{Ref: "project/app:1", Digest: settest.Digest("a")}, Token: c.given},
				func(_, total int64) { seen = total })
			require.NoError(t, err)
			assert.Equal(t, "local-1", id)
			assert.EqualValues(t, 2, seen)
			assert.Equal(t, imagedocker.Request{Repository: "project/app", Digest: settest.Digest("a"), Token: c.want}, p.asked)
		})
	}
}

func TestAnEndedTokenOfTheCreatorIsReplacedByTheHostsOwn(t *testing.T) {
	p := &fakePuller{refuses: "creators"}
	request := set.ImageRequest{Image: set.Image{Ref: "project/app:1"}, Token: "creators"}
	id, err := images{p, fakeTokens{}}.Ensure(t.Context(), request, func(_, _ int64) {})
	require.NoError(t, err)
	assert.Equal(t, "local-1", id)
	assert.Equal(t, "hosts-own", p.asked.Token)

	_, err = images{p, nil}.Ensure(t.Context(), request, func(_, _ int64) {})
	require.ErrorIs(t, err, set.ErrUnauthenticated, "a host without a token of its own says so")
	p.refuses = "hosts-own"
	request.Token = ""
	_, err = images{p, fakeTokens{}}.Ensure(t.Context(), request, func(_, _ int64) {})
	require.ErrorIs(t, err, set.ErrUnauthenticated, "and so does one whose own is refused")
}

func TestPullErrorsKeepTheirMeaning(t *testing.T) {
	for from, to := range map[error]error{
		image.ErrNotFound: set.ErrNotFound, image.ErrInvalid: set.ErrInvalid, image.ErrUnauthorized: set.ErrUnauthenticated,
		image.ErrDenied: set.ErrForbidden, image.ErrUnavailable: set.ErrUnavailable, imagedocker.ErrNoSpace: set.ErrUnavailable,
	} {
		_, err := images{puller: &fakePuller{err: fmt.Errorf("pull project/app: %w", from)}}.Ensure(t.Context(),
			set.ImageRequest{Image: set.Image{Ref: "project/app:1"}}, func(_, _ int64) {})
		assert.ErrorIs(t, err, to)
		assert.ErrorContains(t, err, "pull project/app: ")
	}
}

func TestMalformedReferenceIsInvalid(t *testing.T) {
	p := &fakePuller{}
	_, err := images{puller: p}.Ensure(t.Context(), set.ImageRequest{Image: set.Image{Ref: "UPPER/../x"}}, nil)
	require.ErrorIs(t, err, set.ErrInvalid)
	assert.Empty(t, p.asked)
}

func TestHostWithoutATokenOfItsOwnTriesAgainLater(t *testing.T) {
	p := &fakePuller{}
	_, err := images{p, fakeTokens{errors.New("keystone is away")}}.Ensure(t.Context(), set.ImageRequest{Image: set.Image{Ref: "project/app:1"}}, nil)
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.Contains(t, err.Error(), "the host's own token")
	assert.Empty(t, p.asked)
}
