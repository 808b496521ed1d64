package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
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
	c := &cobra.Command{Use: "image", Short: "List, inspect, push, pull and remove images"}
	c.AddCommand(a.imageList(), a.imageShow(), a.imageTree(), a.imageExists(), a.imageRemove(), a.imagePush(), a.imagePull())
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

func (a *app) imageList() *cobra.Command {
	var q image.Query
	c := &cobra.Command{Use: "list [REPOSITORY]", Aliases: []string{"ls"}, Short: "List images as docker images does", Args: cobra.MaximumNArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			if len(args) == 1 {
				ref, err := image.ParseRef(args[0], s.project)
				if err != nil {
					return err
				}
				q.Repo = ref.Repo
			}
			list, err := image.List(ctx, store, q)
			if err != nil {
				return err
			}
			return a.printImages(list)
		})
	}
	return c
}

// imageRow is one image of a list in JSON.
type imageRow struct {
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest"`
	ID         string `json:"id"`
	Layers     int    `json:"layers"`
	Size       int64  `json:"size"` // bytes transferred
	Glance     string `json:"glance_id"`
}

func (a *app) printImages(list []image.Summary) error {
	rows := []table.Row{}
	plain := []imageRow{}
	for _, i := range list {
		rows = append(rows, table.Row{i.Repo, i.Tag, short(i.ID.Encoded()), i.Layers, size(i.Size), ago(i.Created), i.Record})
		plain = append(plain, imageRow{i.Repo, i.Tag, i.Digest.String(), i.ID.String(), i.Layers, i.Size, i.Record})
	}
	if a.structured() {
		return a.emit(plain)
	}
	printTable(a.out, table.Row{"Repository", "Tag", "Image ID", "Layers", "Size", "Created", "Glance ID"}, rows)
	return nil
}

func (a *app) imageShow() *cobra.Command {
	c := &cobra.Command{Use: "show IMAGE", Aliases: []string{"history"}, Short: "Show an image and its layers, top first", Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			ref, err := image.ParseRef(args[0], s.project)
			if err != nil {
				return err
			}
			img, err := store.Resolve(ctx, ref)
			if err != nil {
				return err
			}
			var layers []image.Layer
			for l, err := range image.Walk(ctx, store, ref) {
				if err != nil {
					return err
				}
				layers = append(layers, l)
			}
			return a.printImage(img, layers)
		})
	}
	return c
}

// layerRow is one layer in JSON.
type layerRow struct {
	ID        string `json:"docker_id"`
	Parent    string `json:"docker_parent"`
	Digest    string `json:"digest"`
	DiffID    string `json:"diff_id"`
	Size      int64  `json:"size"` // bytes transferred
	CreatedBy string `json:"created_by"`
	Glance    string `json:"glance_id"`
}

func (a *app) printImage(img image.Image, layers []image.Layer) error {
	rows := []table.Row{}
	plain := []layerRow{}
	for _, l := range layers {
		rows = append(rows, table.Row{short(l.ID), short(l.Parent), size(l.Size), l.Record, clip(l.CreatedBy, 60)})
		plain = append(plain, layerRow{l.ID, l.Parent, l.Digest.String(), l.DiffID.String(), l.Size, l.CreatedBy, l.Record})
	}
	if a.structured() {
		return a.emit(map[string]any{"reference": img.Ref.String(), "digest": img.Digest, "id": img.ID, "size": img.Size, "platform": img.Platform, "created": img.Created, "layers": plain})
	}
	printTable(a.out, table.Row{"Field", "Value"}, []table.Row{
		{"reference", img.Ref}, {"digest", img.Digest}, {"image id", img.ID}, {"platform", img.Platform}, {"size", size(img.Size)}, {"created", ago(img.Created)},
	})
	fmt.Fprintln(a.out)
	printTable(a.out, table.Row{"Docker ID", "Parent", "Size", "Glance ID", "Created by"}, rows)
	return nil
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (a *app) imageTree() *cobra.Command {
	c := &cobra.Command{Use: "tree [IMAGE]", Short: "Walk the parents: layers as a tree, shared ones once", Args: cobra.MaximumNArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			var q image.Query
			if len(args) == 1 {
				ref, err := image.ParseRef(args[0], s.project)
				if err != nil {
					return err
				}
				if _, err := store.Resolve(ctx, ref); err != nil {
					return err
				}
				q.Repo = ref.Repo
			}
			roots, err := image.Tree(ctx, store, q)
			if err != nil || a.structured() {
				return errOr(err, func() error { return a.emit(treeRows(roots)) })
			}
			for _, root := range roots {
				a.printTree(root, "")
			}
			return nil
		})
	}
	return c
}

// treeRow is a layer with what is built on it, in JSON.
type treeRow struct {
	layerRow
	Tags     []string  `json:"tags,omitempty"`
	Children []treeRow `json:"children,omitempty"`
}

func treeRows(nodes []*image.Node) []treeRow {
	rows := []treeRow{}
	for _, n := range nodes {
		l := n.Layer
		row := treeRow{layerRow: layerRow{l.ID, l.Parent, l.Digest.String(), l.DiffID.String(), l.Size, l.CreatedBy, l.Record}, Tags: n.Tags}
		if len(n.Children) > 0 {
			row.Children = treeRows(n.Children)
		}
		rows = append(rows, row)
	}
	return rows
}

func (a *app) printTree(n *image.Node, indent string) {
	tags := ""
	if len(n.Tags) > 0 {
		tags = "  <- " + strings.Join(n.Tags, ", ")
	}
	fmt.Fprintf(a.out, "%s%s  %9s  %s%s\n", indent, short(n.Layer.ID), size(n.Layer.Size), clip(n.Layer.CreatedBy, 50), tags)
	for _, child := range n.Children {
		a.printTree(child, indent+"  ")
	}
}

func (a *app) imageExists() *cobra.Command {
	c := &cobra.Command{Use: "exists IMAGE...", Short: "Check that images exist, without pulling them; exit code 3 if one does not", Args: cobra.MinimumNArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			refs := make([]image.Ref, len(args))
			for i, arg := range args {
				ref, err := image.ParseRef(arg, s.project)
				if err != nil {
					return err
				}
				refs[i] = ref
			}
			found, err := image.Exists(ctx, store, refs)
			if err != nil {
				return err
			}
			return a.printExists(refs, found)
		})
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
		return fmt.Errorf("%w: %s", image.ErrNotFound, strings.Join(missing, ", "))
	}
	return nil
}

func (a *app) imageRemove() *cobra.Command {
	c := &cobra.Command{Use: "rm IMAGE...", Aliases: []string{"delete"}, Short: "Remove tags, or manifests by digest", Args: cobra.MinimumNArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImages(c, func(ctx context.Context, s *session, store image.Store) error {
			for _, arg := range args {
				if err := removeImage(ctx, store, arg, s.project); err != nil {
					return err
				}
				fmt.Fprintln(a.errOut, "removed "+arg)
			}
			return nil
		})
	}
	return c
}

func removeImage(ctx context.Context, store image.Store, arg, project string) error {
	ref, err := image.ParseRef(arg, project)
	if err != nil {
		return err
	}
	if ref.Digest != "" {
		return store.DeleteManifest(ctx, ref)
	}
	return store.DeleteTag(ctx, ref)
}
