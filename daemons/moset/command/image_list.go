package command

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
)

// imageListFlags choose what a list shows.
type imageListFlags struct{ quiet, digests bool }

func (a *app) imageList() *cobra.Command {
	var q image.Query
	var f imageListFlags
	c := &cobra.Command{Use: "list [REPOSITORY]", Aliases: []string{"ls"}, Short: "List images as docker images does", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeRepository}
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print image ids only")
	c.Flags().BoolVar(&f.digests, "digests", false, "show the digests of the manifests")
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
			return a.printImages(list, f)
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

func (a *app) printImages(list []image.Summary, f imageListFlags) error {
	header := table.Row{"Repository", "Tag", "Image ID", "Created", "Size", "Layers", "Glance ID"}
	if f.digests {
		header = append(header, "Digest")
	}
	rows := []table.Row{}
	plain := []imageRow{}
	for _, i := range list {
		row := table.Row{i.Repo, i.Tag, shortDigest(i.ID), ago(i.Created), size(i.Size), i.Layers, i.Record}
		if f.digests {
			row = append(row, i.Digest)
		}
		rows = append(rows, row)
		plain = append(plain, imageRow{i.Repo, i.Tag, i.Digest.String(), i.ID.String(), i.Layers, i.Size, i.Record})
	}
	switch {
	case a.structured():
		return a.emit(plain)
	case f.quiet:
		for _, row := range rows {
			fmt.Fprintln(a.out, row[2])
		}
	default:
		printTable(a.out, header, rows)
	}
	return nil
}
