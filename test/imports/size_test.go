package imports

import (
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoFileIsLongerThan600Lines(t *testing.T) {
	for _, file := range sources(t) {
		assert.LessOrEqual(t, file.lines, 600, file.path)
	}
}

func TestMainFilesStayUnder80Lines(t *testing.T) {
	found := false
	for _, file := range sources(t) {
		if path.Base(file.path) == "main.go" && (file.top() == "daemons" || file.top() == "examples") {
			found = true
			assert.Less(t, file.lines, 80, file.path)
		}
	}
	assert.True(t, found, "no main.go was looked at")
}
