package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryPackageHasAComment(t *testing.T) {
	commented := map[string]bool{}
	for _, file := range sources(t) {
		if file.isTest() {
			continue
		}
		commented[file.dir()] = commented[file.dir()] || file.ast.Doc != nil
	}
	for dir, has := range commented {
		assert.True(t, has, "package in %s has no comment", dir)
	}
}

func TestEveryExportedNameHasAComment(t *testing.T) {
	for _, file := range sources(t) {
		if !file.isCode() {
			continue
		}
		for _, name := range undocumented(file.ast) {
			assert.Fail(t, "exported and not documented", "%s: %s", file.path, name)
		}
	}
}

func TestUndocumentedNamesAreFound(t *testing.T) {
	const text = `package p

// A has one.
type A struct{}
type B struct{}
func (B) C() {}
func (b) D() {}
func (*A) E() {}
// Group has one comment for both.
const ( F = 1; G = 2 )
var H, i int
// types do not share theirs
type ( J int )`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", text, parser.ParseComments)
	require.NoError(t, err)
	assert.Equal(t, []string{"B", "C", "E", "H", "J"}, undocumented(file))
}

// undocumented are the exported top-level names of file that have no comment. A comment above a group of
// constants or variables counts for all of them.
func undocumented(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Name.IsExported() && decl.Doc == nil && isExportedReceiver(decl.Recv) {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				names = append(names, undocumentedSpec(decl, spec)...)
			}
		}
	}
	return names
}

// undocumentedSpec looks at one line of a declaration: a type, or the names of a const or var.
func undocumentedSpec(decl *ast.GenDecl, spec ast.Spec) []string {
	var names []string
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && spec.Doc == nil && (decl.Doc == nil || decl.Lparen != token.NoPos) {
			names = append(names, spec.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && spec.Doc == nil && spec.Comment == nil && decl.Doc == nil {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// isExportedReceiver is true of functions, and of the methods of exported types.
func isExportedReceiver(recv *ast.FieldList) bool {
	if recv == nil {
		return true
	}
	kind := recv.List[0].Type
	for {
		switch k := kind.(type) {
		case *ast.StarExpr:
			kind = k.X
		case *ast.IndexExpr:
			kind = k.X
		case *ast.IndexListExpr:
			kind = k.X
		case *ast.Ident:
			return k.IsExported()
		default:
			return true
		}
	}
}
