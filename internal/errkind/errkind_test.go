package errkind_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/internal/errkind"
)

var errTheirs, errOurs = errors.New("their kind"), errors.New("our kind")

func TestTranslateKeepsTextAndBothKinds(t *testing.T) {
	m := errkind.Map{{From: errTheirs, To: errOurs}}
	err := m.Translate(fmt.Errorf("pull web: %w", errTheirs))
	assert.EqualError(t, err, "pull web: their kind")
	assert.ErrorIs(t, err, errTheirs)
	assert.ErrorIs(t, err, errOurs)
}

func TestTranslateLeavesOtherErrorsAlone(t *testing.T) {
	other := errors.New("other")
	m := errkind.Map{{From: errTheirs, To: errOurs}}
	assert.Equal(t, other, m.Translate(other))
	assert.NoError(t, m.Translate(nil))
}
