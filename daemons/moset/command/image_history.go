package command

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
)

func (a *app) imageHistory() *cobra.Command {
	full := false
	c := &cobra.Command{Use: "history IMAGE", Short: "Show the steps an image was built in, last first, as docker history does", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeImage}
	c.Flags().BoolVar(&full, "no-trunc", false, "do not cut ids and commands")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.onImage(c, args[0], func(ctx context.Context, store image.Store, ref image.Ref) error {
			img, err := store.Resolve(ctx, ref)
			if err != nil {
				return err
			}
			return a.printHistory(img, full)
		})
	}
	return c
}

// stepRow is one build step in JSON.
type stepRow struct {
	Layer     string    `json:"docker_id"` // "" of a step that changed no file
	Parent    string    `json:"docker_parent"`
	Digest    string    `json:"digest"`
	Size      int64     `json:"size"` // bytes transferred
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
	Comment   string    `json:"comment,omitempty"`
}

func (a *app) printHistory(img image.Image, full bool) error {
	layers := map[string]image.Layer{}
	for _, l := range img.Layers {
		layers[l.ID] = l
	}
	plain := []stepRow{}
	for _, step := range slices.Backward(img.History) {
		l := layers[step.LayerID]
		plain = append(plain, stepRow{step.LayerID, l.Parent, l.Digest.String(), step.Size, step.Created, step.CreatedBy, step.Comment})
	}
	if a.structured() {
		return a.emit(plain)
	}
	id, text := short, func(s string) string { return clip(s, 60) }
	if full {
		id, text = orDash, func(s string) string { return s }
	}
	rows := []table.Row{}
	for _, s := range plain {
		rows = append(rows, table.Row{id(s.Layer), ago(s.Created), text(oneLine(s.CreatedBy)), size(s.Size), s.Comment})
	}
	printTable(a.out, table.Row{"Layer", "Created", "Created by", "Size", "Comment"}, rows)
	return nil
}

// oneLine keeps a build step with line breaks or tabs in it from breaking the table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
