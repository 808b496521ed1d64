// Package authntest is a Keystone in a box: the part of the Identity API v3 that stock clients call, as an
// http.Handler for tests and for clouds on one machine, with an optional directory that keeps its state.
// [TestVerifier] is the contract every authn.Verifier passes, on this box and on a real Keystone.
//
// It reproduces what hurts: 404 for an unknown subject token, 401 for a bad service token, 403 for a plain
// member that validates somebody else, HEAD refused to the service role. It does not do groups, trusts,
// federation, regions or policy files, and hashes passwords with PBKDF2.
package authntest
