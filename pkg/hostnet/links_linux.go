package hostnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// kernelLinks is Links by rtnetlink.
type kernelLinks struct {
	host    *netlink.Handle
	group   uint32
	offload bool // leave checksum offload on: only the kernel datapath can finish such packets
}

// newKernelLinks opens a handle in the namespace the process is in now.
func newKernelLinks(group uint32, datapath Datapath) (*kernelLinks, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", explainErrno(err))
	}
	return &kernelLinks{host: h, group: group, offload: datapath == DatapathSystem}, nil
}

// Create implements Links.
func (k *kernelLinks) Create(_ context.Context, spec LinkSpec) (Link, error) {
	ns, err := openSpace(spec.NetNS)
	if err != nil {
		return Link{}, err
	}
	defer ns.close()
	if err := k.host.LinkAdd(k.veth(spec, ns)); err != nil {
		if errors.Is(err, unix.EEXIST) {
			return Link{}, fmt.Errorf("%w: namespace %s already has an interface %s", ErrConflict, spec.NetNS.Path, spec.IfName)
		}
		return Link{}, fmt.Errorf("make the link: %w", explainErrno(err))
	}
	link, err := k.finish(spec, ns)
	if err != nil {
		return Link{}, errors.Join(err, k.deleteOne(spec.HostIf))
	}
	return link, nil
}

// veth describes the pair; the far end is born in the namespace, which is far cheaper than moving it there.
func (k *kernelLinks) veth(spec LinkSpec, ns *space) *netlink.Veth {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.Group = spec.HostIf, spec.MTU, k.group
	return &netlink.Veth{LinkAttrs: attrs, PeerName: spec.IfName, PeerHardwareAddr: spec.MAC,
		PeerNamespace: netlink.NsFd(int(ns.fd)), PeerMTU: uint32(spec.MTU)}
}

// finish configures both ends. The host's end comes up after the host's own stack is kept off it, and the
// far end last: an end that comes up second carries packets at once, the first one when the kernel has got
// round to it, which List shows.
func (k *kernelLinks) finish(spec LinkSpec, ns *space) (Link, error) {
	if err := muteHostStack(spec.HostIf); err != nil {
		return Link{}, err
	}
	if !k.offload {
		if err := offloadOff(spec, ns); err != nil {
			return Link{}, err
		}
	}
	host, err := k.host.LinkByName(spec.HostIf)
	if err != nil {
		return Link{}, fmt.Errorf("host link %s: %w", spec.HostIf, err)
	}
	if err := k.host.LinkSetUp(host); err != nil {
		return Link{}, fmt.Errorf("host link %s up: %w", spec.HostIf, err)
	}
	if err := configureInside(spec, ns); err != nil {
		return Link{}, err
	}
	return Link{Name: spec.HostIf, Index: host.Attrs().Index}, nil
}

// configureInside addresses the far end and brings it up, and the loopback with it.
func configureInside(spec LinkSpec, ns *space) error {
	h, err := ns.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	if lo, err := h.LinkByName("lo"); err == nil {
		if err := h.LinkSetUp(lo); err != nil {
			return fmt.Errorf("loopback up: %w", explainErrno(err))
		}
	}
	link, err := h.LinkByName(spec.IfName)
	if err != nil {
		return fmt.Errorf("interface %s in the namespace: %w", spec.IfName, err)
	}
	for _, a := range spec.Addrs {
		ipNet := &net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())}
		if err := h.AddrReplace(link, &netlink.Addr{IPNet: ipNet}); err != nil {
			return fmt.Errorf("address %s: %w", a, explainErrno(err))
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("interface %s up: %w", spec.IfName, explainErrno(err))
	}
	return defaultRoute(h, link, spec)
}

func defaultRoute(h *netlink.Handle, link netlink.Link, spec LinkSpec) error {
	if !spec.Gateway.IsValid() {
		return nil
	}
	all := &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: all, Gw: spec.Gateway.AsSlice()}
	if err := h.RouteReplace(route); err != nil {
		return fmt.Errorf("default route by %s: %w", spec.Gateway, explainErrno(err))
	}
	return nil
}

// muteHostStack keeps the host's own IP stack off the host's end. The userspace datapath only copies
// frames, so without this a container could talk to the host beside all rules: strict reverse path
// filtering drops every IPv4 packet, because no route leads back through the link.
func muteHostStack(hostIf string) error {
	settings := map[string]string{
		filepath.Join("ipv4/conf", hostIf, "rp_filter"):    "1",
		filepath.Join("ipv4/conf", hostIf, "arp_ignore"):   "8",
		filepath.Join("ipv6/conf", hostIf, "disable_ipv6"): "1",
	}
	for name, value := range settings {
		err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6 has no such file
			return fmt.Errorf("%w: cannot keep the host's own network stack off %s: %w", ErrUnsupported, hostIf, err)
		}
	}
	return nil
}

// Inode implements Links.
func (k *kernelLinks) Inode(path string) (uint64, error) {
	ns, err := openSpace(NetNS{Path: path})
	if err != nil {
		return 0, err
	}
	defer ns.close()
	return ns.inode()
}

// List implements Links.
func (k *kernelLinks) List(context.Context) ([]Link, error) {
	all, err := dump(k.host.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var ours []Link
	for _, l := range all {
		if a := l.Attrs(); a.Group == k.group || a.Group == k.doomed() {
			ours = append(ours, Link{Name: a.Name, Index: a.Index, Up: a.OperState == netlink.OperUp})
		}
	}
	return ours, nil
}

// Delete implements Links. Deleting one link waits for the whole kernel; deleting a group waits once.
func (k *kernelLinks) Delete(_ context.Context, names ...string) error {
	if len(names) == 1 {
		return k.deleteOne(names[0])
	}
	moved := 0
	for _, name := range names {
		link, err := k.host.LinkByName(name)
		if err == nil {
			err = k.host.LinkSetGroup(link, int(k.doomed()))
		}
		switch {
		case err == nil:
			moved++
		case !gone(err): // a link may go with its namespace at any moment
			return fmt.Errorf("host link %s: %w", name, explainErrno(err))
		}
	}
	if moved == 0 {
		return nil
	}
	return deleteGroup(k.doomed())
}

// doomed is the group links are put in to be deleted together.
func (k *kernelLinks) doomed() uint32 { return k.group ^ 0x80000000 }

func deleteGroup(group uint32) error {
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(group)))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete host links: %w", explainErrno(err))
	}
	return nil
}

func (k *kernelLinks) deleteOne(name string) error {
	link, err := k.host.LinkByName(name)
	if gone(err) {
		return nil
	}
	if err == nil {
		err = k.host.LinkDel(link)
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("delete host link %s: %w", name, explainErrno(err))
	}
	return nil
}

func gone(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV)
}
