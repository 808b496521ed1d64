// Package authn verifies Keystone tokens for HTTP services and puts them on outgoing calls.
//
// A [Verifier] turns a token into an [Identity]. The one that asks Keystone is in authn/keystone;
// [NewCached] puts a cache before any Verifier, so that a busy API asks Keystone once for each token and
// TTL. [Middleware] guards a handler: it takes the token of X-Auth-Token or Authorization: Bearer, refuses
// what is not valid, and hands the Identity on in the request's context. [Transport] is the other end.
// [Policy] says what roles may do. [SharedKey] is the credential of daemons that trust each other without
// Keystone.
//
//	session, err := keystone.Connect(ctx, credentials) // of a user with the role service
//	...
//	guard := authn.Middleware(authn.MiddlewareConfig{
//		Verifier: authn.NewCached(keystone.NewVerifier(session, 0), authn.CacheConfig{}),
//	})
//	http.Handle("/", guard(handler)) // handler finds the caller by authn.FromContext
//
// The package uses the standard library only. It does not issue tokens, and never logs one or puts one in
// an error. Facts about Keystone's answers come from the Identity API v3 reference.
package authn
