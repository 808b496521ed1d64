package imagetest_test

import (
	"testing"

	"github.com/moset/moset/pkg/image/imagetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	imagetest.TestStore(t, func(*testing.T) imagetest.Projects { return imagetest.NewCloud() })
}
