package docker

import (
	"context"
	"errors"
	"sync"
)

// atOnce is how many calls one operation has open with the engine.
const atOnce = 16

// parallel calls f for every item, many at once, and returns the error that tells most.
func parallel[T any](items []T, f func(T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(item)
		})
	}
	all.Wait()
	return firstOf(errs...)
}

// firstOf returns the first error, but one that only says "cancelled" when there is no other: callers show
// one sentence, so errors are not joined.
func firstOf(errs ...error) error {
	var cancelled error
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if cancelled == nil {
			cancelled = err
		}
	}
	return cancelled
}
