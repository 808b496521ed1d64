package docker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func TestProgressAddsUpTheLayers(t *testing.T) {
	var seen []Event
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
		{"status":"Digest: sha256:00"}`), func(e Event) { seen = append(seen, e) })
	require.NoError(t, err)
	assert.Equal(t, []Event{
		{Kind: Waiting, Layer: "a"},
		{Kind: Downloading, Layer: "a", Done: 10, Total: 100, AllDone: 10, AllTotal: 100},
		{Kind: Downloading, Layer: "b", Done: 5, Total: 50, AllDone: 15, AllTotal: 150},
		{Kind: Downloading, Layer: "a", Done: 60, Total: 100, AllDone: 65, AllTotal: 150},
		{Kind: Unpacking, Layer: "a", AllDone: 105, AllTotal: 150},
		{Kind: Unpacking, Layer: "a", Done: 1, Total: 100, AllDone: 105, AllTotal: 150},
		{Kind: Present, Layer: "c", AllDone: 105, AllTotal: 150},
		{Kind: Ready, Layer: "b", Done: 50, Total: 50, AllDone: 150, AllTotal: 150},
	}, seen)
}

func TestAStreamEndsWithItsError(t *testing.T) {
	none := func(Event) {}
	assert.EqualError(t, follow(strings.NewReader(`{"status":"x"}{"error":"denied: no"}{"status":"y"}`), none), "denied: no")
	require.ErrorIs(t, follow(strings.NewReader(`{"status":"x"}{"sta`), none), image.ErrUnavailable, "cut off")
	require.ErrorIs(t, follow(strings.NewReader(`<html>`), none), image.ErrUnavailable)
}

func FuzzFollow(f *testing.F) {
	f.Add(`{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"}`)
	f.Add(`{"status":"Pushed","id":"a"}{"error":"x"}`)
	f.Add(`{"progressDetail":{"current":-1,"total":1e400}}`)
	f.Fuzz(func(t *testing.T, text string) {
		err := follow(strings.NewReader(text), func(e Event) {
			if e.Layer == "" || e.AllTotal < 0 {
				t.Error("an event of nothing")
			}
		})
		if err != nil && err.Error() == "" {
			t.Error("an error without text")
		}
	})
}
