// Package image knows container images as chains of layers in the image service of a cloud.
//
// Repositories are named "project/app": the first path element is the project that owns them. A layer is identified
// by its chain id, and knows the chain id of the layer below: its docker_id and docker_parent. So an image can be
// walked from its top to its base, record by record, and images built on one base share its records.
//
//	ref, err := image.ParseRef("app:1", "demo")    // demo/app:1
//	img, err := store.Resolve(ctx, ref)            // digest, id, size, layers
//	for layer, err := range image.Walk(ctx, store, ref) { … }
//	tags, err := image.List(ctx, store, image.Query{})
//
// Store is the contract; package glance keeps it on OpenStack Glance, package registry serves it to docker push and
// pull, package docker brings images onto hosts, package imagetest has a store in memory and the suite that every
// Store passes. What List, Tree, Exists and Missing say is computed from the few methods of Store.
//
// The package makes no images and runs none, and collects no garbage.
package image
