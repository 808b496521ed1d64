package imagetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

// Projects gives the store of a member of a project; stores of one Projects share a cloud.
type Projects interface {
	Store(project string) image.Store
}

// TestStore runs the contract of image.Store. Every part gets a new, empty cloud with the projects "demo" and "alt".
func TestStore(t *testing.T, newCloud func(t *testing.T) Projects) {
	for name, part := range map[string]func(*testing.T, Projects){
		"an image resolves as it was pushed":                     testResolve,
		"walking goes from the top to the base":                  testWalk,
		"one blob in two chains is two layers":                   testAlias,
		"one blob twice in an image is two layers":               testTwice,
		"an index resolves to the image for this platform":       testIndex,
		"the same push again changes nothing":                    testRepeat,
		"a blob is read in parts":                                testRanges,
		"wrong bytes are refused and leave nothing":              testMismatch,
		"an aborted upload leaves nothing":                       testAbort,
		"uploads of the same bytes at once both succeed":         testConcurrentUploads,
		"a sha512 blob is found":                                 testSHA512,
		"a manifest with a missing blob is refused":              testMissingBlob,
		"a manifest that contradicts its config is refused":      testWrongConfig,
		"a tag moves, goes and comes back":                       testTags,
		"tags are listed by repository and in all":               testList,
		"deleting a manifest takes its tags in that repository":  testDeleteManifest,
		"another project neither sees nor writes":                testOtherProject,
		"the tree shares the layers of images on one base":       testTree,
		"batches say what exists":                                testBatches,
		"manifests about another one are found by it":            testReferrers,
		"artifacts of any type are kept":                         testArtifacts,
		"a blob that no manifest needs is deleted":               testDeleteBlob,
		"blobs are deleted while they are pushed again":          testDeleteBlobRace,
		"names that cannot be are not found and never a failure": testOddNames,
	} {
		t.Run(name, func(t *testing.T) { part(t, newCloud(t)) })
	}
}

func ref(t *testing.T, s string) image.Ref {
	t.Helper()
	r, err := image.ParseRef(s, "")
	require.NoError(t, err)
	return r
}

func push(t *testing.T, s image.Store, name string, f Fixture) {
	t.Helper()
	require.NoError(t, Push(t.Context(), s, ref(t, name), f))
}
