package hostnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// space is an open network namespace.
type space struct {
	fd netns.NsHandle
}

// openSpace opens a namespace and refuses one with another inode than expected.
func openSpace(ns NetNS) (*space, error) {
	fd, err := netns.GetFromPath(ns.Path)
	if err != nil {
		return nil, explainPath(ns.Path, err)
	}
	s := &space{fd: fd}
	inode, err := s.inode()
	if err == nil && ns.Inode != 0 && ns.Inode != inode {
		err = fmt.Errorf("%w: %s is another namespace now (inode %d, expected %d); attach again with the new one", ErrConflict, ns.Path, inode, ns.Inode)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *space) inode() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(s.fd), &st); err != nil {
		return 0, fmt.Errorf("stat of the namespace: %w", err)
	}
	return st.Ino, nil
}

// handle speaks rtnetlink inside the namespace, from any thread.
func (s *space) handle() (*netlink.Handle, error) {
	h, err := netlink.NewHandleAt(s.fd, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink in the namespace: %w", explainErrno(err))
	}
	return h, nil
}

// do runs fn on a thread that is inside the namespace. The thread dies with its goroutine, so it can
// never return to others while it is in the wrong namespace.
func (s *space) do(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(s.fd); err != nil {
			result <- fmt.Errorf("enter the namespace: %w", explainErrno(err))
			return
		}
		result <- fn()
	}()
	return <-result
}

func (s *space) close() { s.fd.Close() }

// explainPath gives a failure to open a namespace its kind.
func explainPath(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("%w: network namespace %s does not exist", ErrNotFound, path)
	}
	return fmt.Errorf("network namespace %s: %w", path, explainErrno(err))
}

// explainErrno gives the kernel's refusals their kind.
func explainErrno(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: changing networking needs root: %w", ErrPermission, err)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: this kernel cannot do it: %w", ErrUnsupported, err)
	}
	return err
}

// requireRoot refuses early, with one sentence instead of a netlink errno.
func requireRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: attaching networks needs root; run this as root", ErrPermission)
	}
	return nil
}
