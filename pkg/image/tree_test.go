package image_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

func TestArtifactsHaveNoPlaceInTheTree(t *testing.T) {
	s := imagetest.NewCloud().Store("demo")
	f := imagetest.NewFixture("a")
	ref := image.Ref{Repo: "demo/app", Tag: "1"}
	require.NoError(t, imagetest.Push(t.Context(), s, ref, f))
	require.NoError(t, s.PutManifest(t.Context(), image.Ref{Repo: "demo/app", Tag: "all"}, imagetest.NewIndex(f)))
	roots, err := image.Tree(t.Context(), s, image.Query{Repo: "demo/app"})
	require.NoError(t, err)
	require.Len(t, roots, 1)
	require.Equal(t, []string{"demo/app:1"}, roots[0].Tags)
}

func TestErrorsOfTheStoreEndEveryQuestion(t *testing.T) {
	s := imagetest.NewCloud().Store("demo")
	gone := image.Ref{Repo: "demo/app", Tag: "gone"}
	_, err := s.Resolve(t.Context(), gone)
	require.ErrorIs(t, err, image.ErrNotFound)
	n := 0
	for _, err := range image.Walk(t.Context(), s, gone) {
		require.ErrorIs(t, err, image.ErrNotFound)
		n++
	}
	require.Equal(t, 1, n)
}
