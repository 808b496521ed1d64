package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

func Example() {
	cloud := imagetest.NewCloud()
	h, err := registry.New(registry.Config{
		Auth: identities{}, // knows the token "demo"
		Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
			return cloud.Store(id.Project), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	srv := httptest.NewServer(h)
	defer srv.Close()

	for _, token := range []string{"demo", "guessed"} {
		req, _ := http.NewRequest("GET", srv.URL+"/v2/", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(token, resp.StatusCode)
	}
	// Output:
	// demo 200
	// guessed 401
}
