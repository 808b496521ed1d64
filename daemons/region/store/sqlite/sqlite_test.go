package sqlite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/sqlite"
	"github.com/moset/moset/daemons/region/store/storetest"
)

func open(t *testing.T, file string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(file)
	require.NoError(t, err)
	return s
}

func TestStore(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "region.db")) })
}

func TestRecordsAndRevisionsSurviveReopening(t *testing.T) {
	file := filepath.Join(t.TempDir(), "region.db")
	var txn store.Txn
	txn.Put("a", []byte("1"))
	s := open(t, file)
	first, err := s.Commit(context.Background(), txn)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s = open(t, file)
	defer s.Close()
	i, err := s.Get(context.Background(), "a")
	require.NoError(t, err)
	assert.Equal(t, first, i.Revision)
	second, err := s.Commit(context.Background(), txn)
	require.NoError(t, err)
	assert.Greater(t, second, first)
}

func TestASecondRegionIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "region.db")
	s := open(t, file)
	defer s.Close()
	_, err := sqlite.Open(file)
	assert.ErrorIs(t, err, store.ErrUnavailable)
	assert.ErrorContains(t, err, "another region has")
}

func TestCommitAfterCloseIsRefused(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "region.db"))
	require.NoError(t, s.Close())
	_, err := s.Commit(context.Background(), store.Txn{})
	assert.ErrorIs(t, err, store.ErrUnavailable)
}

func TestAnyFileNameWillDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a ?&#% b.db")
	s := open(t, file)
	defer s.Close()
	_, err := os.Stat(file)
	assert.NoError(t, err)
}

func TestADamagedFileIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "region.db")
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("no database "), 1000), 0o600))
	_, err := sqlite.Open(file)
	assert.ErrorIs(t, err, store.ErrUnavailable)
	assert.ErrorContains(t, err, "move it away or bring back a copy")
	assert.NotContains(t, err.Error(), "another region")
}
