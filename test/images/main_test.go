// Package images holds the tests of registries as programs: several behind one address, one that is stopped in the
// middle of a push, the memory they take, and the garbage collector beside pushes that never end.
// MOSET_SOAK_PUSHES makes the last one go on for so many pushes.
package images

import (
	"os"
	"testing"

	"github.com/moset/moset/test/process"
)

var programs process.Programs

func TestMain(m *testing.M) { os.Exit(process.Main(m, &programs)) }
