package glance

import (
	"crypto/sha256"
	"strconv"

	"github.com/moset/moset/pkg/image"
)

// generations of a tag's record id. The next one is used only after somebody deleted the record itself.
const tagGenerations = 16

// tagID computes a record id (UUID version 8) from project, repository, tag and generation. The project id keeps
// other projects from guessing it: Glance tells anybody that an id is taken.
func tagID(projectID string, ref image.Ref, generation int) string {
	sum := sha256.Sum256([]byte("tag|" + projectID + "|" + ref.Repo + "|" + ref.Tag + "|" + strconv.Itoa(generation)))
	return formatUUID([16]byte(sum[:16]), 8)
}

// tagName is what image lists show. A colon would read as an operator in Glance's name filter.
func tagName(ref image.Ref) string {
	name := ref.Repo + "@" + ref.Tag
	if len(name) > 255 {
		name = name[:255] // Glance's limit; the properties have all of it
	}
	return name
}

// repoKey is the payload of a repository's tags, by whose hash Glance finds them all.
func repoKey(repo string) string { return "repository " + repo + "\n" }
