package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTailCopiesWholeLinesOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	var out bytes.Buffer
	tl := tail{out: &out, read: map[string]int64{}}
	write := func(content string) {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		require.NoError(t, tl.copyNew(name))
	}
	write("one\ntw")
	write("one\ntwo\n")
	write("one\ntwo\n")
	assert.Equal(t, "one\ntwo\n", out.String())

	write("new\n") // rotated
	assert.Equal(t, "one\ntwo\nnew\n", out.String())
	assert.Equal(t, 3, tl.lines)
}

func TestTailSaysWhichFileIsMissing(t *testing.T) {
	tl := tail{read: map[string]int64{}}
	assert.ErrorContains(t, tl.copyNew("/nowhere/access.log"), "/nowhere/access.log")
}
