package command

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vbauerster/mpb/v8"

	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

func TestAListShowsIndexesWhichHaveNoImageID(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	list := []image.Summary{
		{Repo: "demo/all", Tag: "1", Digest: digest.FromString("index"), Record: "r1"},
		{Repo: "demo/app", Tag: "2", Digest: digest.FromString("app"), ID: digest.FromString("config"), Size: 2048, Layers: 3, Record: "r2"},
	}
	require.NoError(t, a.printImages(list, imageListFlags{}))
	assert.Contains(t, out.String(), "REPOSITORY")
	assert.Regexp(t, `demo/all +1 +- +- +0 B +0 +r1`, out.String())
	assert.Regexp(t, `demo/app +2 +`+digest.FromString("config").Encoded()[:12]+` +- +2.0 KiB +3 +r2`, out.String())
	out.Reset()
	require.NoError(t, a.printImages(list, imageListFlags{quiet: true}))
	assert.Equal(t, "-\n"+digest.FromString("config").Encoded()[:12]+"\n", out.String())
	out.Reset()
	require.NoError(t, a.printImages(list, imageListFlags{digests: true}))
	assert.Contains(t, out.String(), digest.FromString("index").String())
}

func TestHistoryIsLastStepFirstWithTheLayersOfIt(t *testing.T) {
	var out bytes.Buffer
	img := image.Image{
		Layers: []image.Layer{{ID: "aaaaaaaaaaaaaaaa"}, {ID: "bbbbbbbbbbbbbbbb", Parent: "aaaaaaaaaaaaaaaa"}},
		History: []image.Step{{CreatedBy: "ADD\tbase\n /", LayerID: "aaaaaaaaaaaaaaaa", Size: 1024},
			{CreatedBy: "ENV a=b"}, {CreatedBy: "COPY app /", LayerID: "bbbbbbbbbbbbbbbb", Size: 2048, Comment: "here"}},
	}
	require.NoError(t, (&app{out: &out}).printHistory(img, false))
	assert.Regexp(t, `(?s)LAYER.*bbbbbbbbbbbb +- +COPY app / +2.0 KiB +here.*\n *- +- +ENV a=b +0 B.*\n *aaaaaaaaaaaa +- +ADD base / +1.0 KiB`, out.String())
	out.Reset()
	require.NoError(t, (&app{out: &out, format: "{{range .}}{{.docker_id}}<{{.docker_parent}} {{end}}"}).printHistory(img, false))
	assert.Equal(t, "bbbbbbbbbbbbbbbb<aaaaaaaaaaaaaaaa < aaaaaaaaaaaaaaaa< \n", out.String())
}

func TestWhatIsNotThereIsNoErrorOfItsOwnKind(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	refs := []image.Ref{{Repo: "demo/a", Tag: "1"}, {Repo: "demo/b", Tag: "1"}}
	assert.NoError(t, a.printExists(refs, []bool{true, true}))
	err := a.printExists(refs, []bool{true, false})
	assert.EqualError(t, err, "not there: demo/b:1")
	assert.Equal(t, exitAbsent, exitCode(err))
	assert.Equal(t, exitUntold, exitCode(&codedError{errors.New("odd"), exitUntold}))
	assert.Contains(t, out.String(), "demo/b:1 false\n")
}

func TestErrorsOfSeveralImagesAreOneSentence(t *testing.T) {
	gone := fmt.Errorf("delete tag demo/a:1: %w", set.ErrNotFound)
	assert.NoError(t, together(3, nil))
	assert.Equal(t, gone, together(1, []error{gone}))
	err := together(3, []error{gone, errors.New("another")})
	assert.EqualError(t, err, "2 of 3 images: "+gone.Error()+"; another")
	assert.Equal(t, 3, exitCode(err))
}

func TestCompletionOffersWhatFitsOnce(t *testing.T) {
	names := []string{"demo/app:1", "demo/app:2", "demo/web:1"}
	got, directive := offer(names, []string{"demo/app:2"}, "demo/app:", nil)
	assert.Equal(t, []string{"demo/app:1"}, got)
	assert.Equal(t, cobra.ShellCompDirectiveNoFileComp, directive)
	_, directive = offer(nil, nil, "", errors.New("no cloud"))
	assert.Equal(t, cobra.ShellCompDirectiveError, directive)
}

func TestLayersOfATransferAreShownOneByOne(t *testing.T) {
	var out bytes.Buffer
	l := newLayerProgress(newProgress(&out), "push web:v1")
	l.tell(imagedocker.Event{Kind: imagedocker.Uploading, Layer: "aaaaaaaaaaaa", Done: 1, Total: 1024})
	l.tell(imagedocker.Event{Kind: imagedocker.Present, Layer: "bbbbbbbbbbbb"})
	l.tell(imagedocker.Event{Kind: imagedocker.Uploading, AllDone: 1, AllTotal: 1024})
	l.tell(imagedocker.Event{Kind: imagedocker.Ready, Layer: "aaaaaaaaaaaa", Done: 1024, Total: 1024})
	l.tell(imagedocker.Event{Kind: imagedocker.Uploading, Layer: "cccccccccccc", Done: 1, Total: 9})
	l.end(errors.New("broken"))
	l.tell(imagedocker.Event{Kind: imagedocker.Ready, Layer: "cccccccccccc", Done: 9, Total: 9}) // too late
	assert.Regexp(t, `^  layer bbbbbbbbbbbb +done +\d.\d\d s  there already\n`+
		`  layer aaaaaaaaaaaa +done +\d.\d\d s  1.0 KiB\n`+
		`  push web:v1 +failed +\d.\d\d s  1.0 KiB\n`+
		`  layer cccccccccccc +failed +\d.\d\d s  9 B\n$`, out.String())
}

func TestBarsFollowATotalThatGrows(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.bars = newBars(&out, mpb.WithAutoRefresh(), mpb.WithWidth(120))
	l := newLayerProgress(p, "push web:v1")
	for _, id := range []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
		l.tell(imagedocker.Event{Kind: imagedocker.Uploading, Layer: id, Done: 0, Total: 1 << 20})
	}
	l.tell(imagedocker.Event{Kind: imagedocker.Uploading, AllDone: 1 << 20, AllTotal: 2 << 20})
	l.tell(imagedocker.Event{Kind: imagedocker.Uploading, AllDone: 2 << 20, AllTotal: 2 << 20})
	l.tell(imagedocker.Event{Kind: imagedocker.Ready, Layer: "aaaaaaaaaaaa", Done: 1 << 20, Total: 1 << 20})
	l.end(nil)
	last := out.String()[strings.LastIndex(out.String(), "push web:v1"):]
	assert.Regexp(t, `push web:v1 .*\[=+\] 2.0 MiB / 2.0 MiB`, last)
	assert.Regexp(t, `layer aaaaaaaaaaaa .*\[=+\] 1.0 MiB / 1.0 MiB`, last)
	assert.Regexp(t, `layer bbbbbbbbbbbb .*\[=+\] 1.0 MiB / 1.0 MiB`, last)
}
