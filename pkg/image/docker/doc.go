// Package docker brings images to and from a Docker Engine: [Client.Pull] has the engine pull by digest
// from a registry with a caller's Keystone token, [Client.Push] has it push.
//
// The token goes to the engine as a registry token, and the engine sends it as Bearer token straight to the
// registry, which passes it on to Glance: who may pull is decided there. An image that is on the host
// already is used only after the registry said that this token may read its manifest.
//
// There are two ways for the bytes. With [TransferPull] the engine itself pulls: it reaches a registry on
// loopback without TLS; any other address needs TLS that the engine trusts. With [TransferLoad] this program
// fetches the layers that the engine lacks and streams them into it (docker load): the engine needs no
// registry, no certificate and no setting.
package docker
