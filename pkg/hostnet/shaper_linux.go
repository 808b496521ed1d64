package hostnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tbfShaper is Shaper by a token bucket filter at the root of each end: what leaves the host's end goes to
// the container, what leaves the other end comes from it. An ingress limit on the host's end would not
// hold on the userspace datapath, which reads frames before the kernel drops them.
type tbfShaper struct {
	host *netlink.Handle
}

// Shape implements Shaper.
func (t *tbfShaper) Shape(_ context.Context, spec LinkSpec, toContainer, fromContainer Limit) error {
	if err := shapeEnd(t.host, spec.HostIf, spec.MTU, toContainer); err != nil {
		return err
	}
	ns, err := openSpace(spec.NetNS)
	if err != nil {
		return err
	}
	defer ns.close()
	h, err := ns.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	return shapeEnd(h, spec.IfName, spec.MTU, fromContainer)
}

func shapeEnd(h *netlink.Handle, name string, mtu int, limit Limit) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("limit of %s: %w", name, err)
	}
	root := netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
	if limit.Rate == 0 {
		return clearEnd(h, name, root)
	}
	b := bucketOf(limit, mtu)
	tbf := &netlink.Tbf{QdiscAttrs: root, Rate: b.bytesPerSecond, Limit: b.queue, Buffer: netlink.Xmittime(b.bytesPerSecond, b.burst)}
	if err := h.QdiscReplace(tbf); err != nil {
		return fmt.Errorf("limit of %s: %w", name, explainErrno(err))
	}
	return nil
}

// clearEnd takes our filter away; an end that never had one answers that there is nothing.
func clearEnd(h *netlink.Handle, name string, root netlink.QdiscAttrs) error {
	err := h.QdiscDel(&netlink.Tbf{QdiscAttrs: root})
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return fmt.Errorf("limit of %s: %w", name, explainErrno(err))
}
