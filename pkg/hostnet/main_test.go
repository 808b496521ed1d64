package hostnet_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees that a closed Host leaves no goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
