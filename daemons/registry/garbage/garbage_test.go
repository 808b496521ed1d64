package garbage_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/registry/garbage"
	"github.com/moset/moset/internal/daemon"
)

func TestTheCommandSaysWhatIsWrongWithItsFlags(t *testing.T) {
	for want, args := range map[string][]string{
		`wrong usage: invalid value "x" for flag -grace: parse error; moset-registry gc -h lists the flags`: {"-grace", "x"},
		`wrong usage: moset-registry gc takes flags only, not "all"`:                                        {"-dry-run", "all"},
	} {
		var out bytes.Buffer
		err := garbage.Command(t.Context(), args, &out)
		assert.EqualError(t, err, want)
		require.ErrorIs(t, err, daemon.ErrUsage)
		assert.Empty(t, out.String(), "what is wrong is said once")
	}
}

func TestTheCommandListsItsFlags(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, garbage.Command(t.Context(), []string{"-h"}, &out))
	assert.Contains(t, out.String(), "-dry-run")
}
