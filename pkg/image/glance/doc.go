// Package glance keeps container images in OpenStack Glance: every layer, config, manifest and tag is one Glance image.
//
// A Store speaks with one caller's token, so that Glance decides what is seen and allowed. It is cheap to make, one
// per request; what is worth keeping between requests (connections, found ids) is shared through Config.Transport
// and Config.Cache:
//
//	cache := new(glance.Cache)
//	store, err := glance.New(glance.Config{
//		Endpoint: "http://127.0.0.1:9292", Token: token, ProjectID: id, Project: "demo", Cache: cache,
//	})
//	img, err := store.Resolve(ctx, ref)
//
// # Records
//
// All have container_format docker, disk_format raw, and docker_kind, one of:
//
//   - layer, config, manifest, and blob as long as it is not clear which: the exact bytes; a random id; name and
//     docker_digest are the digest; hidden from image lists; protected. A layer that a manifest names has docker_id (its
//     chain id in hex), docker_parent (the chain id below), docker_diff_id; before, it has docker_unclaimed. A manifest has docker_config and docker_layers, the record ids of its
//     layers, bottom first, and docker_needs, the digests of all that it names.
//   - alias: a layer whose blob already carries another chain's docker_id; docker_blob is the blob's record.
//   - tag: named repo@tag and listed; docker_manifest is the digest it points at. Its id is computed from project,
//     repository and tag, so that it is found with one GET; it moves by one PATCH. A deleted tag is hidden and
//     marked docker_deleted, because Glance never gives a deleted id out again; if someone deletes the record
//     itself, the next generation of the id is used.
//   - link: says that docker_manifest is about docker_subject, one for each such pair; the payload is "subject:" and
//     the subject's digest, so that all referrers of a subject are found by one indexed filter.
//   - upload: an upload that runs, or broke.
//   - garbage: on its way out; docker_was is what it was.
//
// # Look-up
//
// With hashing_algorithm = sha256 in glance-api.conf, os_hash_value is the OCI digest and an indexed filter. Otherwise
// (Glance's default is sha512) sha256 digests are found by the property docker_digest, which slows with the number
// of images. Which of the two holds is read from os_hash_algo of the newest record, so settle hashing_algorithm before
// the first push: blobs from before a change would have to be pushed again.
//
// # Garbage
//
// A [Collector] deletes what no image needs, while pushes go on. A record that nothing leads to gets docker_gc and
// loses its protection; a push that finds it takes both back. After a grace it becomes garbage, which no push finds,
// so that the bytes are sent again; what a manifest named in the last moment is restored; the rest is deleted. A
// manifest is there when every blob that it names was looked at after it was written. So a push that takes less than a
// grace misses nothing, and a pull never does.
//
// The package does not share images between projects.
package glance
