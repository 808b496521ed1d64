package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunCountsAndShowsWhatFailed(t *testing.T) {
	const (
		pass  = `{"Action":"output","Package":"m/a","Test":"TestA","Output":"quiet\n"}` + "\n" + `{"Action":"pass","Package":"m/a","Test":"TestA"}`
		okay  = `{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s\n"}` + "\n" + `{"Action":"pass","Package":"m/a"}`
		fail  = `{"Action":"output","Package":"m/b","Test":"TestB","Output":"why it failed\n"}` + "\n" + `{"Action":"fail","Package":"m/b","Test":"TestB"}`
		bad   = `{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.1s\n"}` + "\n" + `{"Action":"fail","Package":"m/b"}`
		skip  = `{"Action":"output","Package":"m/a","Test":"TestS","Output":"why it was skipped\n"}` + "\n" + `{"Action":"skip","Package":"m/a","Test":"TestS"}`
		hung  = `{"Action":"output","Package":"m/b","Test":"TestHung","Output":"panic: test timed out\n"}`
		build = `{"Action":"build-output","ImportPath":"m/c","Output":"c.go:1: undefined\n"}` + "\n" + `{"Action":"build-fail","ImportPath":"m/c"}`
		none  = `{"Action":"output","Package":"m/d","Output":"?   \tm/d\t[no test files]\n"}` + "\n" + `{"Action":"skip","Package":"m/d"}`
		attr  = `{"Action":"attr","Package":"m/a","Test":"TestA","Key":"size","Value":"7 bytes"}`
	)
	tests := map[string]struct {
		lines []string
		want  string
		ok    bool
	}{
		"all pass":           {[]string{pass, okay, none}, "ok  \tm/a\t0.1s\n?   \tm/d\t[no test files]\n1 passed, 0 failed, 0 skipped\n", true},
		"one says a figure":  {[]string{attr, pass, okay}, "ok  \tm/a\t0.1s\nTestA: size: 7 bytes\n1 passed, 0 failed, 0 skipped\n", true},
		"one fails":          {[]string{fail, bad, pass, okay}, "why it failed\nok  \tm/a\t0.1s\nFAIL\tm/b\t0.1s\n1 passed, 1 failed, 0 skipped\n", false},
		"one is skipped":     {[]string{pass, skip, okay}, "why it was skipped\nok  \tm/a\t0.1s\n1 passed, 0 failed, 1 skipped\n", false},
		"one never ends":     {[]string{pass, okay, hung, bad}, "panic: test timed out\nok  \tm/a\t0.1s\nFAIL\tm/b\t0.1s\n1 passed, 0 failed, 0 skipped\n", false},
		"one does not build": {[]string{pass, okay, build}, "c.go:1: undefined\nok  \tm/a\t0.1s\n1 passed, 0 failed, 0 skipped\n", false},
		"none ran":           {[]string{none}, "?   \tm/d\t[no test files]\n0 passed, 0 failed, 0 skipped\n", false},
		"go speaks itself":   {[]string{"go: no such tool"}, "go: no such tool\n0 passed, 0 failed, 0 skipped\n", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			ok, err := run(strings.NewReader(strings.Join(tc.lines, "\n")), &out, "")
			require.NoError(t, err)
			assert.Equal(t, tc.want, out.String())
			assert.Equal(t, tc.ok, ok)
		})
	}
}
