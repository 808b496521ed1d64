package docker

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees that a closed Client leaves no goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
