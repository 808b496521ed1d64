package set

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// SpecHash names what an Assignment makes of containers: two Assignments with the same hash can share
// the containers that exist. Generation, epoch, desired state and token do not count.
func SpecHash(a Assignment) string {
	b, err := json.Marshal(struct {
		Name      string
		Spec      Spec
		Images    map[string]Image `json:",omitempty"` // nil and empty are the same
		Addresses []Address        `json:",omitempty"`
	}{a.Name, a.Spec, a.Images, a.Addresses})
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
