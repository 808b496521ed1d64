package hostnettest

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// netnsDir is where named namespaces are, as for ip-netns(8).
const netnsDir = "/run/netns"

// NetNSPath is the file of a named namespace.
func NetNSPath(name string) string { return filepath.Join(netnsDir, name) }

// MakeNetNS makes a named network namespace, with its loopback up. One that is there is an error.
func MakeNetNS(name string) error {
	return onOwnThread(func() error {
		h, err := netns.NewNamed(name)
		if err != nil {
			return fmt.Errorf("make network namespace %s: %w", name, err)
		}
		defer h.Close()
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return fmt.Errorf("loopback of namespace %s: %w", name, err)
		}
		return netlink.LinkSetUp(lo)
	})
}

// DeleteNetNS removes a named namespace; one that is not there is fine.
func DeleteNetNS(name string) error {
	err := netns.DeleteNamed(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// InNetNS runs fn on a thread inside the namespace. Sockets made there stay there; goroutines that fn
// starts run outside.
func InNetNS(path string, fn func() error) error {
	return onOwnThread(func() error {
		h, err := netns.GetFromPath(path)
		if err != nil {
			return fmt.Errorf("network namespace %s: %w", path, err)
		}
		defer h.Close()
		if err := netns.Set(h); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", path, err)
		}
		return fn()
	})
}

// onOwnThread runs fn on a thread that ends with it, whatever namespace fn left it in.
func onOwnThread(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		result <- fn()
	}()
	return <-result
}
