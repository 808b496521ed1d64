package hostnettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// schemaPath is where Debian puts the database schema.
const schemaPath = "/usr/share/openvswitch/vswitch.ovsschema"

// OVS is a private Open vSwitch on the userspace datapath, in a directory of its own.
type OVS struct {
	dir      string
	database *daemon
	vswitchd *daemon
}

// StartOVS starts one in dir, which is made when missing; a database left there is used again. It needs
// root and the openvswitch-switch package. The caller stops it.
func StartOVS(ctx context.Context, dir string) (*OVS, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	o := &OVS{dir: dir}
	if err := o.startDatabase(ctx); err != nil {
		return nil, errors.Join(err, o.Stop())
	}
	if err := o.StartSwitch(ctx); err != nil {
		return nil, errors.Join(err, o.Stop())
	}
	return o, nil
}

// RunDir is what Config.RunDir takes.
func (o *OVS) RunDir() string { return o.dir }

// StartSwitch starts ovs-vswitchd, as after KillSwitch.
func (o *OVS) StartSwitch(ctx context.Context) (err error) {
	o.vswitchd, err = start(ctx, o.dir, "ovs-vswitchd", filepath.Join(o.dir, "vswitchd.ctl"),
		"unix:"+o.path("db.sock"), "--disable-system", "--no-chdir")
	return err
}

// KillSwitch kills ovs-vswitchd the way a crash would; its database stays.
func (o *OVS) KillSwitch() error { return o.vswitchd.stop(syscall.SIGKILL) }

// Stop ends both daemons and removes the bridges' devices. Files stay.
func (o *OVS) Stop() error {
	if o.vswitchd.running() {
		// A signal would leave the bridges' devices behind.
		_ = exec.Command("ovs-appctl", "-t", o.path("vswitchd.ctl"), "exit", "--cleanup").Run()
	}
	return errors.Join(o.vswitchd.stop(syscall.SIGTERM), o.database.stop(syscall.SIGTERM))
}

func (o *OVS) path(name string) string { return filepath.Join(o.dir, name) }

func (o *OVS) startDatabase(ctx context.Context) (err error) {
	if _, err := os.Stat(o.path("conf.db")); errors.Is(err, os.ErrNotExist) {
		if out, err := exec.CommandContext(ctx, "ovsdb-tool", "create", o.path("conf.db"), schemaPath).CombinedOutput(); err != nil {
			return fmt.Errorf("ovsdb-tool: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	o.database, err = start(ctx, o.dir, "ovsdb-server", o.path("db.sock"), o.path("conf.db"), "--remote=punix:"+o.path("db.sock"))
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "ovs-vsctl", "--db=unix:"+o.path("db.sock"), "--no-wait", "init").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ovs-vsctl init: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// daemon is one child process.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs a daemon in the foreground and returns when it listens on its socket.
func start(ctx context.Context, dir, name, socket string, args ...string) (*daemon, error) {
	logPath := filepath.Join(dir, name+".log")
	args = append(args, "--unixctl="+filepath.Join(dir, ctlName(name)), "--log-file="+logPath, "-vconsole:off")
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "OVS_RUNDIR="+dir, "OVS_DBDIR="+dir, "OVS_LOGDIR="+dir)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s; install Open vSwitch (Debian: openvswitch-switch): %w", name, err)
	}
	d := &daemon{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(d.done)
	}()
	if err := d.await(ctx, socket); err != nil {
		return nil, errors.Join(fmt.Errorf("%s, see %s: %w", name, logPath, err), d.stop(syscall.SIGKILL))
	}
	return d, nil
}

func ctlName(name string) string {
	if name == "ovs-vswitchd" {
		return "vswitchd.ctl"
	}
	return name + ".ctl"
}

func (d *daemon) await(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		if conn, err := net.Dial("unix", socket); err == nil { // the file is there before anybody listens
			return conn.Close()
		}
		select {
		case <-d.done:
			return errors.New("it ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", socket, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (d *daemon) running() bool {
	if d == nil {
		return false
	}
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

func (d *daemon) stop(sig syscall.Signal) error {
	if !d.running() {
		return nil
	}
	if err := d.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-d.done:
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("process %d does not end", d.cmd.Process.Pid)
	}
}
