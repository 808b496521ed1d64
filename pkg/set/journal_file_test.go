package set_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func openJournal(t *testing.T, dir string) *set.FileJournal {
	t.Helper()
	j, err := set.OpenFileJournal(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func record(id string) set.Record {
	return set.Record{Assignment: settest.Assignment(id), ImageIDs: map[string]string{"app": "local-1"}, Reached: true, Made: true,
		Observed: set.Observed{State: set.StateRunning, Generation: 1, Epoch: 1}}
}

func TestFileJournalReturnsWhatWasSaved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when missing")
	j := openJournal(t, dir)
	require.NoError(t, j.Save(record("s1")))
	require.NoError(t, j.Save(record("s2")))
	newer := record("s1")
	newer.Absent = true
	require.NoError(t, j.Save(newer))
	require.NoError(t, j.Delete("s2"))
	require.NoError(t, j.Delete("s2"), "what is not there is deleted")
	require.NoError(t, j.Close())

	again := openJournal(t, dir)
	records, err := again.Load()
	require.NoError(t, err)
	assert.Equal(t, []set.Record{newer}, records)
	assert.Equal(t, set.SpecHash(newer.Assignment), set.SpecHash(records[0].Assignment), "a record from disk is the same content")
}

func TestFileJournalNeverWritesATokenNorOpensItsFiles(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	r := record("s1")
	r.Assignment.PullToken = "hunter2"
	require.NoError(t, j.Save(r))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		assert.NotContains(t, string(b), "hunter2", e.Name())
		info, err := e.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
}

func TestFileJournalSetsDamagedFilesAside(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	require.NoError(t, j.Save(record("good")))
	for name, text := range map[string]string{
		"torn.json":    `{"assignment":{"server`,
		"empty.json":   "",
		"another.json": `{"assignment":{"server_id":"s9"}}`,
		".new-123":     `{"assignment":{"server_id":"never-finished"}}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	records, err := j.Load()
	require.Error(t, err)
	for _, name := range []string{"torn", "empty", "another"} {
		assert.ErrorContains(t, err, name+".json.damaged")
		assert.FileExists(t, filepath.Join(dir, name+".json.damaged"))
	}
	require.Len(t, records, 1)
	assert.Equal(t, "good", records[0].Assignment.ServerID)
	assert.NoFileExists(t, filepath.Join(dir, ".new-123"))
	_, err = j.Load()
	require.NoError(t, err, "damage is reported once")
}

func TestAManagerStartsOnADamagedJournal(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	require.NoError(t, j.Save(record("good")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "torn.json"), []byte("{"), 0o600))
	cfg := settest.NewFakes().Config()
	cfg.Journal = j
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	settest.AwaitState(t, m, "good", 1, set.StateRunning)
}

func TestFileJournalIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	_, err := set.OpenFileJournal(dir)
	require.ErrorIs(t, err, set.ErrConflict)
	assert.ErrorContains(t, err, dir)
	require.NoError(t, j.Close())
	openJournal(t, dir)
}

func TestFileJournalThatCannotWriteSaysSo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := openJournal(t, dir)
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, j.Save(record("s1")), set.ErrUnavailable)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := set.OpenFileJournal(file)
	require.Error(t, err)
}

func TestFileJournalKeepsEveryIDThatIsValid(t *testing.T) {
	j := openJournal(t, t.TempDir())
	ids := []string{"new-1", "lock", "a-json", "X_9"}
	for _, id := range ids {
		require.NoError(t, record(id).Assignment.Validate())
		require.NoError(t, j.Save(record(id)))
	}
	records, err := j.Load()
	require.NoError(t, err)
	var got []string
	for _, r := range records {
		got = append(got, r.Assignment.ServerID)
	}
	assert.ElementsMatch(t, ids, got)
}

func TestFileJournalStaysInItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := openJournal(t, dir)
	require.NoError(t, j.Save(record("../outside")))
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestAgentOnFiles(t *testing.T) {
	settest.TestAgent(t, func(t *testing.T) settest.AgentFixture {
		f := settest.NewFakes()
		cfg := f.Config()
		cfg.Journal = both{openJournal(t, t.TempDir()), f.Journal}
		m, err := set.NewManager(cfg)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return settest.AgentFixture{Agent: m, Host: f}
	})
}

// both writes to the fake, whose knobs the suite turns, and then to a file.
type both struct {
	*set.FileJournal
	fake *settest.Journal
}

func (b both) Save(r set.Record) error {
	if err := b.fake.Save(r); err != nil {
		return err
	}
	return b.FileJournal.Save(r)
}

func (b both) Delete(id string) error {
	if err := b.fake.Delete(id); err != nil {
		return err
	}
	return b.FileJournal.Delete(id)
}

func TestErrorsOfTheJournalAreOneLine(t *testing.T) {
	dir := t.TempDir()
	openJournal(t, dir)
	_, err := set.OpenFileJournal(dir)
	assert.Equal(t, 1, strings.Count(err.Error()+"\n", "\n"), err.Error())
}
