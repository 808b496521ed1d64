// Package keystone is package authn on a real Keystone: a Verifier, a token source, and credentials from
// the places every OpenStack client looks in.
//
// [FromEnv] reads OS_* variables or clouds.yaml, [Connect] turns them into a [Session] that holds a valid
// token and the service catalog, and [NewVerifier] validates other people's tokens with the session's own.
// [Issue] gets a token for somebody else's credentials, as a login realm needs it.
package keystone
