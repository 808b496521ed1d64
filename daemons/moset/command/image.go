package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/set"
)

// imageErrors gives the errors of pkg/image the exit codes of the rest of the command line.
var imageErrors = errkind.Map{
	{From: image.ErrNotFound, To: set.ErrNotFound},
	{From: image.ErrInvalid, To: set.ErrInvalid},
	{From: image.ErrUnauthorized, To: set.ErrUnauthenticated},
	{From: image.ErrDenied, To: set.ErrForbidden},
	{From: image.ErrUnavailable, To: set.ErrUnavailable},
}

func (a *app) imageCommand() *cobra.Command {
	c := &cobra.Command{Use: "image", Short: "List, inspect, push, pull, prefetch and remove images"}
	c.AddCommand(a.imageList(), a.imageShow(), a.imageHistory(), a.imageTree(), a.imageExists(), a.imageRemove(), a.imagePush(), a.imagePull(), a.imagePrefetch())
	return c
}

// onImages runs do with the caller's image store.
func (a *app) onImages(c *cobra.Command, do func(context.Context, *session, image.Store) error) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	store, err := s.images(c.Context())
	if err != nil {
		return imageErrors.Translate(err)
	}
	return imageErrors.Translate(do(c.Context(), s, store))
}

// onImage is onImages for a command of one image.
func (a *app) onImage(c *cobra.Command, name string, do func(context.Context, image.Store, image.Ref) error) error {
	return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
		ref, err := image.ParseRef(name, s.project)
		if err != nil {
			return err
		}
		return do(ctx, store, ref)
	})
}

// parseRefs reads all names before anything is done with the first of them.
func parseRefs(names []string, project string) ([]image.Ref, error) {
	refs := make([]image.Ref, len(names))
	for i, name := range names {
		ref, err := image.ParseRef(name, project)
		if err != nil {
			return nil, err
		}
		refs[i] = ref
	}
	return refs, nil
}

// shortDigest is a digest as docker images shows it; an index has no image id.
func shortDigest(d digest.Digest) string {
	_, hex, _ := strings.Cut(d.String(), ":")
	return short(hex)
}

// manyErrors are those of several images in one sentence.
type manyErrors struct {
	of   int // images in all
	errs []error
}

// Error implements error.
func (m *manyErrors) Error() string {
	all := make([]string, len(m.errs))
	for i, err := range m.errs {
		all[i] = err.Error()
	}
	return fmt.Sprintf("%d of %d images: %s", len(m.errs), m.of, strings.Join(all, "; "))
}

// Unwrap gives each of them to errors.Is.
func (m *manyErrors) Unwrap() []error { return m.errs }

// together is nil without an error and the error itself when one image was asked for.
func together(of int, errs []error) error {
	switch {
	case len(errs) == 0:
		return nil
	case of == 1:
		return errs[0]
	}
	return &manyErrors{of, errs}
}

// completeImage offers the tags that the caller sees, for commands of one image.
func (a *app) completeImage(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeImages(c, args, typed)
}

// completeImages offers the tags that the caller sees and that are not on the line yet. Of a name with its colon
// typed, only the one repository is asked for.
func (a *app) completeImages(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	err := a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
		q := image.Query{}
		if repo, _, typedTag := strings.Cut(typed, ":"); typedTag && image.CheckRepo(repo) == nil {
			q.Repo = repo
		}
		list, err := image.List(ctx, store, q)
		for _, i := range list {
			names = append(names, i.Ref().String())
		}
		return err
	})
	return offer(names, args, typed, err)
}

func (a *app) completeRepository(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	err := a.onImages(c, func(ctx context.Context, _ *session, store image.Store) (err error) {
		names, err = image.Repos(ctx, store)
		return err
	})
	if len(args) > 0 {
		names = nil
	}
	return offer(names, args, typed, err)
}

// offer leaves out what does not begin as typed and what was given before.
func offer(names, given []string, typed string, err error) ([]string, cobra.ShellCompDirective) {
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, name := range names {
		if strings.HasPrefix(name, typed) && !slices.Contains(given, name) {
			out = append(out, name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
