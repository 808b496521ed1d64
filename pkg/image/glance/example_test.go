package glance_test

import (
	"context"
	"fmt"
	"net/http/httptest"

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
