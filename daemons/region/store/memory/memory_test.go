package memory_test

import (
	"testing"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/daemons/region/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store { return memory.New() })
}
