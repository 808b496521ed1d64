// Command walk-image lists the layers of an image by going from Glance record to Glance record, from the
// top to the base, each by its docker_parent. Credentials come from OS_* or OS_CLOUD.
//
//	walk-image demo/web:v1
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
)

func main() {
	if err := walk(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "walk-image:", err)
		os.Exit(1)
	}
}

func walk(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: walk-image IMAGE")
	}
	store, project, err := connect(ctx)
	if err != nil {
		return err
	}
	ref, err := image.ParseRef(args[0], project)
	if err != nil {
		return err
	}
	for layer, err := range image.Walk(ctx, store, ref) {
		if err != nil {
			return err
		}
		fmt.Printf("%.12s  parent %.12s  %8d bytes  glance %s  %s\n", layer.ID, layer.Parent+"-", layer.Size, layer.Record, layer.CreatedBy)
	}
	return nil
}

// connect opens the caller's images: what the token sees is there, the rest is not.
func connect(ctx context.Context) (image.Store, string, error) {
	credentials, err := keystone.FromEnv("")
	if err != nil {
		return nil, "", err
	}
	session, err := keystone.Connect(ctx, credentials)
	if err != nil {
		return nil, "", err
	}
	endpoint, err := session.Endpoint("image")
	if err != nil {
		return nil, "", err
	}
	id := session.Identity()
	store, err := glance.New(glance.Config{Endpoint: endpoint, Provider: session.Provider(), ProjectID: id.ProjectID, Project: id.ProjectName})
	return store, id.ProjectName, err
}
