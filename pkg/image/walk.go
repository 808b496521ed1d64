package image

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Walk yields the layers of an image from its top to its base, going from record to record by docker_parent.
// A parent that has no record ends it with ErrNotFound, a chain that closes on itself with ErrInvalid.
func Walk(ctx context.Context, s Manifests, ref Ref) iter.Seq2[Layer, error] {
	return func(yield func(Layer, error) bool) {
		img, err := s.Resolve(ctx, ref)
		if err != nil {
			yield(Layer{}, err)
			return
		}
		if len(img.Layers) == 0 {
			return
		}
		records, err := s.Layers(ctx, ref)
		if err != nil {
			yield(Layer{}, err)
			return
		}
		by := make(map[string]string, len(img.Layers))
		for _, l := range img.Layers {
			by[l.ID] = l.CreatedBy
		}
		for l, err := range Chain(img.Layers[len(img.Layers)-1].ID, records) {
			l.CreatedBy = by[l.ID]
			if !yield(l, err) {
				return
			}
		}
	}
}

// Chain orders layer records from the layer top down to its base by their Parent. It ends after the first error.
func Chain(top string, records []Layer) iter.Seq2[Layer, error] {
	return func(yield func(Layer, error) bool) {
		left := make(map[string]Layer, len(records))
		for _, l := range records {
			left[l.ID] = l
		}
		seen := make(map[string]bool, len(records))
		for id := top; id != ""; {
			if seen[id] {
				yield(Layer{}, &Error{Op: "walk layers", ID: id, Err: fmt.Errorf("%w: the layer is its own ancestor", ErrInvalid)})
				return
			}
			l, ok := left[id]
			if !ok {
				yield(Layer{}, &Error{Op: "walk layers", ID: id, Err: fmt.Errorf("%w: the chain has a gap, push the image again", ErrNotFound)})
				return
			}
			seen[id] = true
			if !yield(l, nil) {
				return
			}
			id = l.Parent
		}
	}
}

// notFound splits "it is not there" from errors that say nothing about it.
func notFound(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return false, err
}
