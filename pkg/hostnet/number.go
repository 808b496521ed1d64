package hostnet

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
)

// OpenFlow numbers we ask for. The switch numbers ports of other software from 1 upwards.
const (
	firstNumber = 0x4000
	lastNumber  = 0xfe00 // OFPP_MAX of OpenFlow 1.0 is 0xff00
)

// numberer hands out OpenFlow port numbers; one just freed comes back last, because the switch may not
// have let go of it yet.
type numberer struct {
	last int
}

func (n *numberer) next(used map[int]bool) (int, error) {
	for range lastNumber - firstNumber + 1 {
		n.last++
		if n.last < firstNumber || n.last > lastNumber {
			n.last = firstNumber
		}
		if !used[n.last] {
			used[n.last] = true
			return n.last, nil
		}
	}
	return 0, fmt.Errorf("%w: all %d port numbers of the bridge are in use", ErrUnavailable, lastNumber-firstNumber+1)
}

// newHostIf invents the name of a host link: 14 characters, new for each incarnation, because the userspace
// datapath goes on reading the old device when a name comes back.
func newHostIf() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails, see crypto/rand
	return "m" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}
