package imports

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

var families = []string{"pkg/set", "pkg/image", "pkg/hostnet", "pkg/sched", "pkg/authn"}

func TestTheFivePackagesImportNeitherOneAnotherNorTheDaemons(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range sources(t) {
		if file.family() == "" {
			continue
		}
		seen[file.family()] = true
		for _, name := range file.imports(t) {
			assert.False(t, isBelow(name, "daemons"), "%s imports %s", file.path, name)
			for _, other := range families {
				assert.False(t, other != file.family() && isBelow(name, other), "%s imports %s", file.path, name)
			}
		}
	}
	for _, family := range families {
		assert.True(t, seen[family], "%s has no Go file", family)
	}
	assert.Len(t, seen, len(families), "pkg/ holds a sixth package")
}

func TestTheCoresUseTheStandardLibraryOnly(t *testing.T) {
	cores := []struct {
		dir     string
		allowed []string
	}{
		{"pkg/set", nil},
		{"pkg/sched", nil},
		{"pkg/authn", nil},
		{"pkg/set/setapi", []string{"internal", "pkg/set"}},
	}
	for _, core := range cores {
		found := false
		for _, file := range sources(t) {
			if file.dir() != core.dir || file.isTest() {
				continue
			}
			found = true
			for _, name := range file.imports(t) {
				assert.True(t, isStandard(name) || isAllowed(name, core.allowed), "%s imports %s", file.path, name)
			}
		}
		assert.True(t, found, "%s has no Go file", core.dir)
	}
}

func isAllowed(name string, dirs []string) bool {
	for _, dir := range dirs {
		if isBelow(name, dir) {
			return true
		}
	}
	return false
}

func TestOnlyTheEngineFoldersOfThePackagesImportDocker(t *testing.T) {
	found := false
	for _, file := range sources(t) {
		if file.top() != "pkg" || file.isTest() {
			continue
		}
		for _, name := range file.imports(t) {
			if !isDocker(name) {
				continue
			}
			found = true
			assert.True(t, file.under("pkg/set/docker") || file.under("pkg/image/docker"), "%s imports %s", file.path, name)
		}
	}
	assert.True(t, found, "no file imports the Docker client: this test looks for the wrong name")
}

func isDocker(name string) bool {
	const docker = "github.com/docker/docker"
	return name == docker || len(name) > len(docker) && name[:len(docker)+1] == docker+"/"
}
