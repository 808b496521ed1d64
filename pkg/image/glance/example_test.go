package glance_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

func Example() {
	box, _ := imagetest.NewGlance(imagetest.GlanceConfig{
		Tokens: imagetest.FixedTokens{"a token": {ProjectID: "42", Roles: []string{"member"}}},
	})
	srv := httptest.NewServer(box)
	defer srv.Close()

	store, err := glance.New(glance.Config{Endpoint: srv.URL, Token: "a token", ProjectID: "42", Project: "demo"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ref, _ := image.ParseRef("app:1", "demo")
	if err := imagetest.Push(context.Background(), store, ref, imagetest.NewFixture("base", "app")); err != nil {
		fmt.Println(err)
		return
	}
	for l, err := range image.Walk(context.Background(), store, ref) {
		fmt.Println(l.CreatedBy, err)
	}
	// Output:
	// COPY file-1 / <nil>
	// COPY file-0 / <nil>
}

// A collector looks once, marks what no image needs, and a grace later deletes it.
func ExampleCollector() {
	box, _ := imagetest.NewGlance(imagetest.GlanceConfig{
		Tokens: imagetest.FixedTokens{"a token": {ProjectID: "42", Roles: []string{"member"}}},
	})
	srv := httptest.NewServer(box)
	defer srv.Close()
	cloud := glance.Config{Endpoint: srv.URL, Token: "a token", ProjectID: "42", Project: "demo"}
	store, err := glance.New(cloud)
	if err != nil {
		fmt.Println(err)
		return
	}
	ref, f := image.Ref{Repo: "demo/app", Tag: "1"}, imagetest.NewFixture("base", "app")
	err = imagetest.Push(context.Background(), store, ref, f)
	if err == nil {
		err = store.DeleteManifest(context.Background(), image.Ref{Repo: ref.Repo, Digest: f.Manifest.Digest})
	}
	for _, after := range []time.Duration{0, 3 * time.Hour, 6 * time.Hour} {
		c, _ := glance.NewCollector(cloud, glance.CollectorConfig{Now: func() time.Time { return time.Now().Add(after) }})
		if err == nil {
			var r glance.Report
			r, err = c.Run(context.Background())
			fmt.Println(r.Records, "records,", r.Marked, "marked,", r.Deleted, "deleted")
		}
	}
	fmt.Println(err)
	// Output:
	// 3 records, 0 marked, 0 deleted
	// 3 records, 3 marked, 0 deleted
	// 3 records, 0 marked, 3 deleted
	// <nil>
}
