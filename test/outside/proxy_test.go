package outside

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module  = "github.com/moset/moset"
	version = "v0.1.0-test.1"
)

// proxy packs the checkout into a module proxy on disk (go help goproxy) and returns its folder.
func proxy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	versions := filepath.Join(dir, filepath.FromSlash(module), "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	put := func(name string, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(versions, name), text, 0o644))
	}
	mod, err := os.ReadFile(filepath.Join(checkout(t), "go.mod"))
	require.NoError(t, err)
	put("list", []byte(version+"\n"))
	put(version+".info", []byte(`{"Version":"`+version+`","Time":"2020-01-01T00:00:00Z"}`))
	put(version+".mod", mod)
	file, err := os.Create(filepath.Join(versions, version+".zip"))
	require.NoError(t, err)
	defer file.Close()
	archive := zip.NewWriter(file)
	require.NoError(t, pack(archive, checkout(t)))
	require.NoError(t, archive.Close())
	return dir
}

// pack writes every file below root, but for version control, what make builds, and modules of their own.
func pack(archive *zip.Writer, root string) error {
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if rel != "." && (strings.HasPrefix(entry.Name(), ".") || rel == "bin" || isModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return add(archive, name, module+"@"+version+"/"+filepath.ToSlash(rel))
	})
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func add(archive *zip.Writer, name, as string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	out, err := archive.Create(as)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	return err
}

func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	return root
}
