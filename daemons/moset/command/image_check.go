package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
)

func (a *app) imageExists() *cobra.Command {
	c := &cobra.Command{Use: "exists IMAGE...", Short: "Check that images exist, without pulling them",
		Long: `Check that images exist, without pulling them. The exit code is 0 when all of them do, 1 when one does not,
and another one when that cannot be told.`,
		Example: "  moset image exists web:v1 logagent:v1 || moset image push web:v1",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: a.completeImages}
	c.RunE = func(c *cobra.Command, args []string) error {
		err := a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			refs, err := parseRefs(args, s.project)
			if err != nil {
				return err
			}
			found, err := image.Exists(ctx, store, refs)
			if err != nil {
				return err
			}
			return a.printExists(refs, found)
		})
		if err != nil && !errors.Is(err, errAbsent) && exitCode(err) == exitAbsent {
			return &codedError{err, exitUntold}
		}
		return err
	}
	return c
}

func (a *app) printExists(refs []image.Ref, found []bool) error {
	plain := map[string]bool{}
	var missing []string
	for i, ref := range refs {
		plain[ref.String()] = found[i]
		if !found[i] {
			missing = append(missing, ref.String())
		}
		if !a.structured() {
			fmt.Fprintf(a.out, "%s %t\n", ref, found[i])
		}
	}
	if a.structured() {
		if err := a.emit(plain); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", errAbsent, strings.Join(missing, ", "))
	}
	return nil
}

func (a *app) imageRemove() *cobra.Command {
	c := &cobra.Command{Use: "rm IMAGE...", Aliases: []string{"delete"}, Short: "Remove tags, or manifests by digest", Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeImages}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			refs, err := parseRefs(args, s.project)
			if err != nil {
				return err
			}
			removed, errs := a.removeImages(ctx, store, refs)
			if a.structured() {
				if err := a.emit(removed); err != nil {
					return err
				}
			}
			return together(len(refs), errs)
		})
	}
	return c
}

// removeImages removes what it can and says of each of the others why not.
func (a *app) removeImages(ctx context.Context, store image.Store, refs []image.Ref) (removed []string, errs []error) {
	removed = []string{}
	for _, ref := range refs {
		if err := removeImage(ctx, store, ref); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, ref.String())
		fmt.Fprintln(a.errOut, "removed "+ref.String())
	}
	return removed, errs
}

func removeImage(ctx context.Context, store image.Store, ref image.Ref) error {
	if ref.Digest != "" {
		return store.DeleteManifest(ctx, ref)
	}
	return store.DeleteTag(ctx, ref)
}
