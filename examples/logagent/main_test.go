package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTailerPrintsEachWholeLineOnce(t *testing.T) {
	dir := t.TempDir()
	tail := tailer{dir: dir, offsets: map[string]int64{}}
	for _, step := range []struct{ name, content, want string }{
		{"nothing there", "", ""},
		{"a line", "one\n", "one\n"},
		{"no news", "one\n", ""},
		{"half a line", "one\ntw", ""},
		{"the other half", "one\ntwo\nthree\n", "two\nthree\n"},
		{"the file was cut", "new\n", "new\n"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "access.log"), []byte(step.content), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a log\n"), 0o644))
		var out bytes.Buffer
		require.NoError(t, tail.poll(&out))
		assert.Equal(t, step.want, out.String(), step.name)
	}
}
