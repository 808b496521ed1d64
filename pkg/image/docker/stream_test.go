package docker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func TestProgressAddsUpTheLayers(t *testing.T) {
	var seen [][2]int64
	err := follow(strings.NewReader(`
		{"status":"Pulling from demo/app","id":"1"}
		{"status":"Pulling fs layer","progressDetail":{},"id":"a"}
		{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"}
		{"status":"Downloading","progressDetail":{"current":5,"total":50},"id":"b"}
		{"status":"Downloading","progressDetail":{"current":60,"total":100},"id":"a"}
		{"status":"Download complete","progressDetail":{},"id":"a"}
		{"status":"Extracting","progressDetail":{"current":1,"total":100},"id":"a"}
		{"status":"Already exists","progressDetail":{},"id":"c"}
		{"status":"Pull complete","progressDetail":{},"id":"b"}
		{"status":"Digest: sha256:00"}`), func(done, total int64) { seen = append(seen, [2]int64{done, total}) })
	require.NoError(t, err)
	assert.Equal(t, [][2]int64{{10, 100}, {15, 150}, {65, 150}, {105, 150}, {150, 150}}, seen)
}

func TestAStreamEndsWithItsError(t *testing.T) {
	none := func(int64, int64) {}
	assert.EqualError(t, follow(strings.NewReader(`{"status":"x"}{"error":"denied: no"}{"status":"y"}`), none), "denied: no")
	require.ErrorIs(t, follow(strings.NewReader(`{"status":"x"}{"sta`), none), image.ErrUnavailable, "cut off")
	require.ErrorIs(t, follow(strings.NewReader(`<html>`), none), image.ErrUnavailable)
}

func FuzzFollow(f *testing.F) {
	f.Add(`{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"}`)
	f.Add(`{"status":"Pushed","id":"a"}{"error":"x"}`)
	f.Add(`{"progressDetail":{"current":-1,"total":1e400}}`)
	f.Fuzz(func(t *testing.T, text string) {
		err := follow(strings.NewReader(text), func(_, total int64) {
			if total == 0 {
				t.Error("progress without a total")
			}
		})
		if err != nil && err.Error() == "" {
			t.Error("an error without text")
		}
	})
}
