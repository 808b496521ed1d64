package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
)

func (a *app) imageTree() *cobra.Command {
	c := &cobra.Command{Use: "tree [IMAGE]", Short: "Walk the parents: layers as a tree, shared ones once", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeImage}
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
		row := treeRow{layerRow: newLayerRow(n.Layer), Tags: n.Tags}
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
