package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// volley is how often each frame of an attack is sent.
const volley = 5

// scene is who takes part in the attacks: attacker and victim are of one tenant, stranger and witness of
// another. All have addresses of one subnet, so that a switch without rules would carry everything.
type scene struct {
	attacker, victim, stranger, witness hostnet.PortSpec
	sockets                             []string // OpenFlow of the switches on the way
}

// newScene takes ports of a rig: tenant 5 and 6.
func newScene(near, far *rig) scene {
	return scene{attacker: near.port(1, 5, "10.0.0.1"), victim: far.port(2, 5, "10.0.0.2"),
		stranger: far.port(3, 6, "10.0.0.3"), witness: far.port(4, 6, "10.0.0.4")}
}

// attack is one kind of frame, each of which ends in the mark.
type attack struct {
	name   string
	frame  func(mark []byte) []byte
	at     hostnet.PortSpec
	honest bool // passes the rules
}

var (
	everyone    = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	allNodes    = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1} // IPv6 multicast, RFC 2464
	nobodysMAC  = net.HardwareAddr{0xfa, 0x16, 0x3e, 9, 9, 9}
	nobodysAddr = netip.MustParseAddr("10.0.0.99")
)

// attacks are the table of frames and whom they are for.
func (s scene) attacks() []attack {
	a, v, x := s.attacker, s.victim, s.stranger
	return []attack{
		{"honest UDP", udp(a.MAC, v.MAC, addr(a), addr(v)), v, true},
		{"honest ARP request", arp(1, a.MAC, everyone, a.MAC, addr(a), addr(v)), v, true},
		{"honest ARP answer", arp(2, a.MAC, v.MAC, a.MAC, addr(a), addr(v)), v, true},
		{"forged source MAC", udp(nobodysMAC, v.MAC, addr(a), addr(v)), v, false},
		{"forged source address", udp(a.MAC, v.MAC, nobodysAddr, addr(v)), v, false},
		{"forged ARP request, address", arp(1, a.MAC, everyone, a.MAC, nobodysAddr, addr(v)), v, false},
		{"forged ARP request, MAC", arp(1, a.MAC, everyone, nobodysMAC, addr(a), addr(v)), v, false},
		{"forged ARP answer, address", arp(2, a.MAC, v.MAC, a.MAC, nobodysAddr, addr(v)), v, false},
		{"forged ARP answer, MAC", arp(2, a.MAC, v.MAC, nobodysMAC, addr(a), addr(v)), v, false},
		{"ARP answer nobody asked for", arp(2, a.MAC, everyone, a.MAC, addr(a), addr(v)), v, false},
		{"rogue DHCP server", dhcp(a.MAC, v.MAC, addr(a), addr(v)), v, false},
		{"rogue DHCP server to all", dhcp(a.MAC, everyone, addr(a), netip.MustParseAddr("255.255.255.255")), v, false},
		{"IPv4 broadcast", udp(a.MAC, everyone, addr(a), netip.MustParseAddr("10.0.0.255")), v, false},
		{"VLAN tag of the own tenant", vlan(5, udp(a.MAC, v.MAC, addr(a), addr(v))), v, false},
		{"VLAN tag of another tenant", vlan(6, udp(a.MAC, x.MAC, addr(a), addr(x))), x, false},
		{"VLAN tag in a VLAN tag", vlan(5, vlan(6, udp(a.MAC, x.MAC, addr(a), addr(x)))), x, false},
		{"VLAN tag for priority only", vlan(0, udp(a.MAC, v.MAC, addr(a), addr(v))), v, false},
		{"IPv6 router advertisement", advert(a.MAC, allNodes), v, false},
		{"IPv6 router advertisement to one", advert(a.MAC, v.MAC), v, false},
		{"UDP to another tenant", udp(a.MAC, x.MAC, addr(a), addr(x)), x, false},
		{"ARP request to another tenant", arp(1, a.MAC, everyone, a.MAC, addr(a), addr(x)), x, false},
		{"ARP answer to another tenant", arp(2, a.MAC, x.MAC, a.MAC, addr(a), addr(x)), x, false},
	}
}

func addr(s hostnet.PortSpec) netip.Addr { return s.Addrs[0].Addr() }

func udp(srcMAC, dstMAC net.HardwareAddr, src, dst netip.Addr) func([]byte) []byte {
	return func(mark []byte) []byte {
		return hostnettest.UDPFrame(srcMAC, dstMAC, netip.AddrPortFrom(src, 1000), netip.AddrPortFrom(dst, 2000), mark)
	}
}

func dhcp(srcMAC, dstMAC net.HardwareAddr, src, dst netip.Addr) func([]byte) []byte {
	return func(mark []byte) []byte {
		return hostnettest.UDPFrame(srcMAC, dstMAC, netip.AddrPortFrom(src, 67), netip.AddrPortFrom(dst, 68), mark)
	}
}

// arp carries the mark where Ethernet pads short frames.
func arp(op uint16, srcMAC, dstMAC, sender net.HardwareAddr, senderAddr, target netip.Addr) func([]byte) []byte {
	return func(mark []byte) []byte {
		return append(hostnettest.ARPFrame(op, srcMAC, dstMAC, sender, senderAddr, make(net.HardwareAddr, 6), target), mark...)
	}
}

func vlan(id uint16, inner func([]byte) []byte) func([]byte) []byte {
	return func(mark []byte) []byte { return hostnettest.VLANFrame(inner(mark), id) }
}

func advert(srcMAC, dstMAC net.HardwareAddr) func([]byte) []byte {
	return func(mark []byte) []byte { return hostnettest.RouterAdvertFrame(srcMAC, dstMAC, mark) }
}

// play sends every attack and compares how many frames arrived.
func (s scene) play(t *testing.T, want func(attack) int) {
	t.Helper()
	for i, a := range s.attacks() {
		mark := []byte(fmt.Sprintf("attack %s %d.", t.Name(), i))
		assert.Equal(t, want(a), s.arrivals(t, a, mark), a.name)
	}
}

// arrivals sends a volley and counts what comes in. What is awaited is an honest frame sent after it: the
// first one goes the volley's own way, so when it is in, the switches have dealt with the volley; the second
// then comes in behind whatever they let through to the stranger.
func (s scene) arrivals(t *testing.T, a attack, mark []byte) int {
	t.Helper()
	out, in := wire(t, s.attacker), wire(t, a.at)
	defer out.Close()
	defer in.Close()
	for range volley {
		require.NoError(t, out.Send(a.frame(mark)))
	}
	count := sentinel(t, out, s.attacker, s.victim, in, a.at, mark)
	if a.at.ID == s.victim.ID {
		return count
	}
	next := wire(t, s.witness)
	defer next.Close()
	return count + sentinel(t, next, s.witness, s.stranger, in, a.at, mark)
}

// sentinel sends an honest frame until it is in, and counts the marked frames before it where at listens.
func sentinel(t *testing.T, out *hostnettest.Wire, from, to hostnet.PortSpec, in *hostnettest.Wire, at hostnet.PortSpec, mark []byte) int {
	t.Helper()
	last := append([]byte("end of "), mark...)
	last[len(last)-1] = '!' // not a marked frame itself
	frame := udp(from.MAC, to.MAC, addr(from), addr(to))(last)
	if at.ID != to.ID {
		mark, in = last, wire(t, to) // nothing to count here
		defer in.Close()
	}
	count := 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		require.NoError(t, out.Send(frame))
		n, err := in.CountUntil(mark, last, time.Second)
		count += n
		if err == nil {
			return count
		}
		require.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
	}
	require.FailNow(t, "the honest frame behind the volley never came in", "%s", mark)
	return 0
}

func wire(t *testing.T, spec hostnet.PortSpec) *hostnettest.Wire {
	t.Helper()
	w, err := hostnettest.OpenWire(spec.NetNS.Path, "eth0")
	require.NoError(t, err)
	return w
}

// forwardEverything replaces all rules by a learning switch's.
func (s scene) forwardEverything(t *testing.T) {
	t.Helper()
	for _, socket := range s.sockets {
		for _, args := range [][]string{{"del-flows", "unix:" + socket}, {"add-flow", "unix:" + socket, "actions=NORMAL"}} {
			out, err := exec.Command("ovs-ofctl", args...).CombinedOutput()
			require.NoError(t, err, string(out))
		}
	}
}

// rehearse plays all attacks under the rules and, to see that they would arrive, without.
func (s scene) rehearse(t *testing.T) {
	t.Run("under the rules", func(t *testing.T) {
		s.play(t, func(a attack) int {
			if a.honest {
				return volley
			}
			return 0
		})
	})
	t.Run("without rules all arrive", func(t *testing.T) {
		s.forwardEverything(t)
		s.play(t, func(attack) int { return volley })
	})
}

func TestAttacksOnOneSwitchAreDropped(t *testing.T) {
	r := newRig(t)
	r.watch = time.Hour // or the rules would come back
	s := newScene(r, r)
	r.attach(r.open(owner), s.attacker, s.victim, s.stranger, s.witness)
	s.sockets = []string{r.config(owner).OpenFlowSocket()}
	s.rehearse(t)
}
