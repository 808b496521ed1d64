package image

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// Summary is one tag: a line of docker images.
type Summary struct {
	Repo    string
	Tag     string
	Digest  digest.Digest // of the manifest or index
	ID      digest.Digest // Docker's image id; "" for an index or artifact
	Size    int64         // bytes transferred
	Created time.Time     // of the image, from its config
	Layers  int           // number of layers
	Record  string        // id of the store's record
}

// Ref is the tag as a reference.
func (s Summary) Ref() Ref { return Ref{Repo: s.Repo, Tag: s.Tag} }

// List returns the tags that q selects, by repository and tag.
func List(ctx context.Context, s Tags, q Query) ([]Summary, error) {
	var out []Summary
	for t, err := range s.List(ctx, q) {
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Tag, b.Tag))
	})
	return out, nil
}

// Repos returns the names of all repositories that have a tag the caller sees, sorted.
func Repos(ctx context.Context, s Tags) ([]string, error) {
	tags, err := List(ctx, s, Query{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, t := range tags {
		if len(out) == 0 || out[len(out)-1] != t.Repo {
			out = append(out, t.Repo)
		}
	}
	return out, nil
}
