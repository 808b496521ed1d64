package hostnettest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/moset/moset/pkg/hostnet"
)

// Fake is a switch and a kernel in memory: all seams of hostnet. It behaves as Open vSwitch was
// seen to behave, and counts what it was asked for.
type Fake struct {
	mu     sync.Mutex
	rows   []hostnet.PortRow
	flows  map[string]bool // by text
	links  map[string]fakeLink
	spaces map[string]uint64 // inode by path
	inside map[string]string // host link by namespace and interface
	shapes map[string][2]hostnet.Limit
	index  int
	fails  map[string]error
	calls  map[string]int
	sent   map[int]int // frames by port

	lock sync.Mutex // of Ports
}

// Names of calls, for Fail and Calls.
const (
	CallCreate = "links.create"
	CallShape  = "shaper.shape"
	CallList   = "ports.list"
	CallCommit = "ports.commit"
	CallWait   = "ports.wait"
	CallApply  = "flows.apply"
	CallHas    = "flows.has"
	CallSend   = "flows.send"
)

// NewFake is an empty bridge.
func NewFake() *Fake {
	return &Fake{flows: map[string]bool{}, links: map[string]fakeLink{}, spaces: map[string]uint64{}, inside: map[string]string{},
		shapes: map[string][2]hostnet.Limit{}, fails: map[string]error{}, calls: map[string]int{}, sent: map[int]int{}}
}

// Parts are the seams, for hostnet.New. Each owner sees its own links, and all see the one bridge.
func (f *Fake) Parts(owner uint16) hostnet.Parts {
	return hostnet.Parts{Links: fakeLinks{f, owner}, Shaper: fakeShaper{f}, Ports: fakePorts{f}, Flows: fakeFlows{f}, Uplinks: fakeLinks{f, owner}}
}

// AddNetNS makes a namespace at a path; again, and it is another one, without the links it had.
func (f *Fake) AddNetNS(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	f.dropSpace(path)
	f.spaces[path] = uint64(4026530000 + f.index)
}

// RemoveNetNS removes one, and its links with it.
func (f *Fake) RemoveNetNS(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropSpace(path)
	delete(f.spaces, path)
}

func (f *Fake) dropSpace(path string) {
	prefix := fmt.Sprintf("%d/", f.spaces[path])
	for key, name := range f.inside {
		if strings.HasPrefix(key, prefix) {
			delete(f.links, name)
			delete(f.inside, key)
		}
	}
}

// Restart is what a restart of ovs-vswitchd does: all rules are gone, ports stay.
func (f *Fake) Restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flows = map[string]bool{}
}

// AddPort puts a port of other software on the bridge.
func (f *Fake) AddPort(row hostnet.PortRow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	row.UUID = fmt.Sprint("uuid-", f.index)
	f.rows = append(f.rows, row)
}

// AddLink leaves a link of an owner without a port, as a crash does.
func (f *Fake) AddLink(owner uint16, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	f.links[name] = fakeLink{hostnet.Link{Name: name, Index: f.index}, owner}
}

// AddUplink gives the machine a link that can be an uplink; again, and it is another one of that name.
func (f *Fake) AddUplink(name string) { f.AddLink(0, name) }

// RemoveLink removes a link.
func (f *Fake) RemoveLink(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.links, name)
}

// Fail makes calls of a name fail until it is given nil.
func (f *Fake) Fail(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[call] = err
}

// Calls counts the calls of a name so far.
func (f *Fake) Calls(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[call]
}

// Links are the names of the host links there are.
func (f *Fake) Links() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.links {
		names = append(names, name)
	}
	return names
}

// Rows are the ports of the bridge.
func (f *Fake) Rows() []hostnet.PortRow {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]hostnet.PortRow(nil), f.rows...)
}

// FlowTexts are the rules there are, as ovs-ofctl writes them, in no order.
func (f *Fake) FlowTexts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var texts []string
	for text := range f.flows {
		texts = append(texts, text)
	}
	return texts
}

// Sent counts the frames that were put out of a port.
func (f *Fake) Sent(ofport int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[ofport]
}

// Shape is what a host link was limited to: to the container, from it.
func (f *Fake) Shape(hostIf string) (toContainer, fromContainer hostnet.Limit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shapes[hostIf]
	return s[0], s[1]
}

// enter counts a call and tells whether it is to fail. The caller holds mu.
func (f *Fake) enter(ctx context.Context, call string) error {
	f.calls[call]++
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.fails[call]
}
