package image_test

import (
	"context"
	"fmt"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

func Example() {
	ctx, store := context.Background(), imagetest.NewCloud().Store("demo")
	ref, _ := image.ParseRef("app:1", "demo")
	if err := imagetest.Push(ctx, store, ref, imagetest.NewFixture("base", "app")); err != nil {
		fmt.Println(err)
		return
	}
	img, err := store.Resolve(ctx, ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(img.Ref, "has", len(img.Layers), "layers")
	for layer, err := range image.Walk(ctx, store, ref) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(layer.CreatedBy, "- at the base:", layer.Parent == "")
	}
	// Output:
	// demo/app:1 has 2 layers
	// COPY file-1 / - at the base: false
	// COPY file-0 / - at the base: true
}

func ExampleParseRef() {
	ref, err := image.ParseRef("127.0.0.1:5000/demo/app:1", "")
	fmt.Println(ref.Host, ref.Project(), ref.Name(), ref.Tag, err)
	_, err = image.ParseRef("app:1", "")
	fmt.Println(err)
	// Output:
	// 127.0.0.1:5000 demo app 1 <nil>
	// parse reference "app:1": invalid: it names no project, write project/image
}
