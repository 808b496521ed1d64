// Package imagetest stands in for what pkg/image needs from a cloud, and holds the contract every image.Store keeps.
//
//   - Glance is the part of the Glance API that registries and stock clients use, in one http.Handler, with or
//     without a data directory. It reproduces what hurts in the real one: an id is never given out twice, a colon in
//     a name filter is an operator, hidden images are listed only when asked for, payloads are hashed with sha512
//     unless told otherwise.
//
//   - Cloud is a Store in memory, for tests of things above it.
//
//   - TestStore is the contract suite. A package that makes a Store runs it in three lines:
//
//     func TestContract(t *testing.T) {
//     imagetest.TestStore(t, func(t *testing.T) imagetest.Projects { return imagetest.NewCloud() })
//     }
//
// Of Glance's policies it follows the newer ones, where a reader only reads; Debian 12's still lets readers write.
// The box keeps no image members and no import tasks, and it knows no quota.
package imagetest
