package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// farEnv names the run directory of the other machine in the process that plays it.
const farEnv = "HOSTNET_TEST_FAR"

// TestMain runs the tests, or plays the other machine for them.
func TestMain(m *testing.M) {
	dir := os.Getenv(farEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := playFar(dir, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "far side:", err)
		os.Exit(1)
	}
}

// order is one line to the other machine; it answers with a line that holds an error's text.
type order struct {
	Open    *hostnet.Config
	Attach  []hostnet.PortSpec
	Groups  []hostnet.Group
	Restart bool // of the switch, as after a crash

	Reconcile []hostnet.PortSpec
}

// farSide is the other machine: an Open vSwitch and a Host in a network namespace of their own.
type farSide struct {
	ovs  *hostnettest.OVS
	host *hostnet.Host
}

// playFar serves orders until their end.
func playFar(dir string, in io.Reader, out io.Writer) error {
	ctx := context.Background()
	ovs, err := hostnettest.StartOVS(ctx, dir)
	if err != nil {
		return err
	}
	f := &farSide{ovs: ovs}
	for dec, enc := json.NewDecoder(in), json.NewEncoder(out); ; {
		var o order
		if err := dec.Decode(&o); err != nil {
			return errors.Join(f.end(ctx), ovs.Stop())
		}
		text := ""
		if err := f.obey(ctx, o); err != nil {
			text = err.Error()
		}
		if err := enc.Encode(text); err != nil {
			return errors.Join(err, f.end(ctx), ovs.Stop())
		}
	}
}

func (f *farSide) obey(ctx context.Context, o order) (err error) {
	if o.Open != nil {
		if f.host, err = hostnet.Open(ctx, *o.Open); err != nil {
			return err
		}
	}
	if o.Restart {
		if err := errors.Join(f.ovs.KillSwitch(), f.ovs.StartSwitch(ctx)); err != nil {
			return err
		}
	}
	if len(o.Reconcile) > 0 {
		// A look at the uplink that began before the wire was laid may answer first.
		_, err := f.host.Reconcile(ctx, o.Reconcile)
		for end := time.Now().Add(20 * time.Second); errors.Is(err, hostnet.ErrNotFound) && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
			_, err = f.host.Reconcile(ctx, o.Reconcile)
		}
		if err != nil {
			return err
		}
	}
	if len(o.Groups) > 0 {
		if err := f.host.SetGroups(ctx, o.Groups...); err != nil {
			return err
		}
	}
	if len(o.Attach) == 0 {
		return nil
	}
	_, err = f.host.Attach(ctx, o.Attach...)
	return err
}

// end takes the ports away while their switch still runs.
func (f *farSide) end(ctx context.Context) error {
	if f.host == nil {
		return nil
	}
	_, err := f.host.Reconcile(ctx, nil)
	return errors.Join(err, f.host.Close())
}

// far is the other machine as tests see it: its own rig, and a process that obeys.
type far struct {
	*rig
	pid     int
	orders  *json.Encoder
	answers *json.Decoder
}

// farUplink is the name of the wire's end on the other machine.
const farUplink = "uplink0"

// newFar starts the other machine.
func newFar(t *testing.T) *far {
	t.Helper()
	near := newRig(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), farEnv+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	r := &rig{t: t, runDir: dir, bridge: "far", mark: near.mark, watch: near.watch}
	return &far{rig: r, pid: cmd.Process.Pid, orders: json.NewEncoder(in), answers: json.NewDecoder(bufio.NewReader(out))}
}

func (f *far) obey(o order) {
	f.t.Helper()
	require.NoError(f.t, f.orders.Encode(o))
	var problem string
	require.NoError(f.t, f.answers.Decode(&problem), "the far side ended")
	require.Empty(f.t, problem)
}

func (f *far) attach(specs ...hostnet.PortSpec) {
	f.t.Helper()
	f.obey(order{Attach: specs})
}

// cloud is two machines with a wire between their switches.
type cloud struct {
	near *rig
	far  *far
	host *hostnet.Host // of the near machine
}

func newCloud(t *testing.T, watch time.Duration) *cloud {
	t.Helper()
	c := &cloud{near: newRig(t)}
	c.near.uplink = "u" + c.near.mark
	t.Cleanup(c.cut)
	c.far = newFar(t)
	c.near.watch, c.far.watch = watch, watch
	c.connect()
	c.host = c.near.open(owner)
	cfg := c.far.config(owner)
	cfg.Uplink = farUplink
	c.far.obey(order{Open: &cfg})
	return c
}

// connect lays the wire. Both ends are born down, and Open brings them up.
func (c *cloud) connect() {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = c.near.uplink
	require.NoError(c.near.t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: farUplink, PeerNamespace: netlink.NsPid(c.far.pid)}))
}

// cut removes the wire, where the other machine's end did not take it along.
func (c *cloud) cut() {
	link, err := netlink.LinkByName(c.near.uplink)
	if err != nil {
		return
	}
	if err := netlink.LinkDel(link); !errors.Is(err, unix.ENODEV) {
		require.NoError(c.near.t, err)
	}
}
