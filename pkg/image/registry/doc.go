// Package registry serves images to docker push, docker pull and every other OCI client, out of an image.Store.
//
// It is one http.Handler for the OCI distribution API 1.1 (/v2/), the token endpoint (/token) and /healthz:
//
//	h, err := registry.New(registry.Config{
//		Auth:   verifier,  // whose token is this
//		Issuer: keystone,  // a token for this user and password
//		Stores: func(ctx context.Context, id registry.Identity) (image.Store, error) {
//			return glance.New(glance.Config{Endpoint: url, Token: id.Token, ProjectID: id.ProjectID, Project: id.Project, Cache: cache})
//		},
//	})
//	http.ListenAndServe("127.0.0.1:5000", h)
//
// # Who may do what
//
// A request carries a Keystone token as its bearer token; docker gets one from /token for the user and password of
// docker login, a host sends its caller's as registry token. The handler passes it on to the store, so Glance decides
// what the caller sees. It refuses by itself only to write into a repository whose first path element is not the
// token's project.
//
// docker login -u takes "user", "user@domain", "user/project", "user@domain/project", or the id of an application
// credential. Without a project, the first path element of the repository at hand names it. A project whose name
// cannot be a path element goes by its id.
//
// # What it does not do
//
// It keeps no blob, not even while it comes in, and deletes only what it is told to, and of blobs only those that no
// manifest of the project names: the rest is garbage collection's work. Repositories of one project share blobs,
// manifests and referrers, so what is deleted or listed in one of them is so in all.
package registry
