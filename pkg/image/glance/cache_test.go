package glance

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func TestTheCacheForgetsWhatIsNotUsed(t *testing.T) {
	var g generations[string]
	g.put("kept", "a", 4)
	for i := range 100 {
		g.put(strconv.Itoa(i), "x", 4)
		require.Equal(t, "a", g.get("kept", 4))
	}
	require.Empty(t, g.get("0", 4))
	require.LessOrEqual(t, len(g.young)+len(g.old), 8)
}

func TestLargeManifestsAreNotKept(t *testing.T) {
	var c Cache
	c.setBody("large", make([]byte, cacheBodySize+1))
	c.setBody("small", []byte("x"))
	require.Nil(t, c.body("large"))
	require.Equal(t, []byte("x"), c.body("small"))
}

func TestTagIdsDependOnEverythingThatNamesATag(t *testing.T) {
	base := tagID("p", image.Ref{Repo: "demo/app", Tag: "1"}, 0)
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, base)
	require.Equal(t, base, tagID("p", image.Ref{Repo: "demo/app", Tag: "1"}, 0))
	for _, other := range []string{
		tagID("q", image.Ref{Repo: "demo/app", Tag: "1"}, 0), tagID("p", image.Ref{Repo: "demo/app2", Tag: "1"}, 0),
		tagID("p", image.Ref{Repo: "demo/app", Tag: "2"}, 0), tagID("p", image.Ref{Repo: "demo/app", Tag: "1"}, 1),
	} {
		require.NotEqual(t, base, other)
	}
}
