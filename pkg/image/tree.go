package image

import (
	"context"
)

// Node is a layer in the forest that a project's images form.
type Node struct {
	Layer    Layer
	Tags     []string // references whose top layer this is, "project/app:tag"
	Children []*Node  // layers built on this one
}

// Tree merges the chains of all tags that q selects: images built on one base share its nodes. Tags that are no
// container images are left out. Roots and children come in the order of List.
func Tree(ctx context.Context, s Store, q Query) ([]*Node, error) {
	tags, err := List(ctx, s, q)
	if err != nil {
		return nil, err
	}
	forest := &forest{byID: map[string]*Node{}}
	for _, t := range tags {
		if t.ID == "" {
			continue
		}
		var chain []Layer
		for l, err := range Walk(ctx, s, t.Ref()) {
			if err != nil {
				return nil, err
			}
			chain = append(chain, l)
		}
		forest.plant(chain, t.Ref().String())
	}
	return forest.roots, nil
}

type forest struct {
	roots []*Node
	byID  map[string]*Node
}

// plant adds a chain, top first, and names its top.
func (f *forest) plant(chain []Layer, name string) {
	var below *Node
	for i := len(chain) - 1; i >= 0; i-- {
		n, known := f.byID[chain[i].ID]
		if !known {
			n = &Node{Layer: chain[i]}
			f.byID[n.Layer.ID] = n
			if below == nil {
				f.roots = append(f.roots, n)
			} else {
				below.Children = append(below.Children, n)
			}
		}
		below = n
	}
	if below != nil {
		below.Tags = append(below.Tags, name)
	}
}
