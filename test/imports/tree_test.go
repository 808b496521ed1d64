package imports

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/moset/moset"

// source is one Go file: its path from the root of the module, with slashes, and what is in it.
type source struct {
	path  string
	lines int
	ast   *ast.File
}

func (s source) dir() string           { return path.Dir(s.path) }
func (s source) isTest() bool          { return strings.HasSuffix(s.path, "_test.go") }
func (s source) top() string           { return strings.SplitN(s.path, "/", 2)[0] }
func (s source) isCode() bool          { return !s.isTest() && (s.top() == "pkg" || s.top() == "daemons") }
func (s source) under(dir string) bool { return strings.HasPrefix(s.path, dir+"/") }

// family is pkg/NAME for a file of one of the five packages, else empty.
func (s source) family() string {
	parts := strings.Split(s.path, "/")
	if len(parts) < 3 || parts[0] != "pkg" {
		return ""
	}
	return path.Join(parts[0], parts[1])
}

// imports are the import paths of s.
func (s source) imports(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, spec := range s.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err, s.path)
		all = append(all, name)
	}
	return all
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	root, fset := filepath.Join("..", ".."), token.NewFileSet()
	var all []source
	require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "testdata"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		all = append(all, source{filepath.ToSlash(rel), bytes.Count(text, []byte("\n")), file})
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// isStandard tells the standard library: the first part of its import paths has no dot.
func isStandard(name string) bool { return !strings.Contains(strings.SplitN(name, "/", 2)[0], ".") }

// isBelow reports that the import name is dir of this module or in it.
func isBelow(name, dir string) bool {
	dir = path.Join(module, dir)
	return name == dir || strings.HasPrefix(name, dir+"/")
}
