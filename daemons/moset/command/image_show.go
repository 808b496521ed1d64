package command

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
)

func (a *app) imageShow() *cobra.Command {
	c := &cobra.Command{Use: "show IMAGE", Short: "Show an image and its layers, top first", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeImage}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImage(c, args[0], func(ctx context.Context, store image.Store, ref image.Ref) error {
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

func newLayerRow(l image.Layer) layerRow {
	return layerRow{l.ID, l.Parent, l.Digest.String(), l.DiffID.String(), l.Size, l.CreatedBy, l.Record}
}

func (a *app) printImage(img image.Image, layers []image.Layer) error {
	rows := []table.Row{}
	plain := []layerRow{}
	for _, l := range layers {
		rows = append(rows, table.Row{short(l.ID), short(l.Parent), size(l.Size), l.Record, clip(l.CreatedBy, 60)})
		plain = append(plain, newLayerRow(l))
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
