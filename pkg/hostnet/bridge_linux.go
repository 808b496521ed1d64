package hostnet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/hostnet/internal/ovsdb"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// failSecure keeps a bridge closed while it has no rules; the other mode would forward everything.
const failSecure = "secure"

// switchPatience is how long a running ovs-vswitchd may take to bring a bridge up.
const switchPatience = 8 * time.Second

// ensureBridge makes the bridge when it is missing and returns its datapath.
func ensureBridge(ctx context.Context, cfg Config, p *ovsdbPorts, flows Flows) (Datapath, error) {
	row, found, err := findBridge(ctx, p)
	if err != nil {
		return "", err
	}
	if found {
		return checkBridge(ctx, cfg, row, flows)
	}
	datapath, err := chooseDatapath(cfg.Datapath)
	if err != nil {
		return "", err
	}
	err = createBridge(ctx, p, datapath)
	if errors.Is(err, ErrConflict) { // another owner made it meanwhile
		return ensureExisting(ctx, cfg, p, flows)
	}
	if err != nil {
		return "", err
	}
	if err := awaitSwitch(ctx, cfg, flows); err != nil {
		return "", errors.Join(err, deleteBridge(context.WithoutCancel(ctx), p))
	}
	return datapath, nil
}

func ensureExisting(ctx context.Context, cfg Config, p *ovsdbPorts, flows Flows) (Datapath, error) {
	row, found, err := findBridge(ctx, p)
	if err != nil {
		return "", err
	}
	if !found {
		return "", fmt.Errorf("%w: %s is the name of a port in this Open vSwitch; choose another bridge name", ErrConflict, p.bridge)
	}
	return checkBridge(ctx, cfg, row, flows)
}

func findBridge(ctx context.Context, p *ovsdbPorts) (ovsdb.Row, bool, error) {
	tables, err := p.db.Transact(ctx, ovsdb.Select("Bridge", ovsdb.Equal("name", p.bridge), "_uuid", "datapath_type", "fail_mode"))
	if err != nil || len(tables[0]) == 0 {
		return nil, false, p.explain(ctx, err)
	}
	return tables[0][0], true, nil
}

// checkBridge accepts a bridge that was there, and waits for the switch to serve it.
func checkBridge(ctx context.Context, cfg Config, row ovsdb.Row, flows Flows) (Datapath, error) {
	if mode := row.Text("fail_mode"); mode != failSecure {
		return "", fmt.Errorf("%w: bridge %s has fail mode %q and would forward everything while it has no rules; run ovs-vsctl set-fail-mode %s secure, or choose another bridge",
			ErrConflict, cfg.Bridge, or(mode, "standalone"), cfg.Bridge)
	}
	datapath := Datapath(or(row.Text("datapath_type"), string(DatapathSystem)))
	if cfg.Datapath != DatapathAuto && cfg.Datapath != datapath {
		return "", fmt.Errorf("%w: bridge %s has datapath %s, not %s; choose another bridge", ErrConflict, cfg.Bridge, datapath, cfg.Datapath)
	}
	return datapath, awaitSwitch(ctx, cfg, flows)
}

// chooseDatapath takes the kernel's datapath where it has one.
func chooseDatapath(wanted Datapath) (Datapath, error) {
	switch wanted {
	case DatapathSystem, DatapathNetdev:
		return wanted, nil
	case DatapathAuto:
	default:
		return "", invalid("datapath %q is none of system, netdev and empty for automatic", wanted)
	}
	h, err := netlink.NewHandle(unix.NETLINK_GENERIC)
	if err != nil {
		return "", err
	}
	defer h.Close()
	if _, err := h.GenlFamilyGet("ovs_datapath"); err != nil {
		return DatapathNetdev, nil
	}
	return DatapathSystem, nil
}

func createBridge(ctx context.Context, p *ovsdbPorts, datapath Datapath) error {
	_, err := p.db.Transact(ctx,
		ovsdb.Insert("Interface", "iface", ovsdb.Row{"name": p.bridge, "type": "internal"}),
		ovsdb.Insert("Port", "port", ovsdb.Row{"name": p.bridge, "interfaces": ovsdb.Named("iface")}),
		ovsdb.Insert("Bridge", "bridge", ovsdb.Row{"name": p.bridge, "ports": ovsdb.Named("port"), "fail_mode": failSecure, "datapath_type": string(datapath)}),
		ovsdb.Mutate("Open_vSwitch", ovsdb.All(), ovsdb.Mutation("bridges", "insert", ovsdb.Set(ovsdb.Named("bridge"))), ovsdb.Mutation("next_cfg", "+=", 1)))
	return p.explain(ctx, err)
}

func deleteBridge(ctx context.Context, p *ovsdbPorts) error {
	row, found, err := findBridge(ctx, p)
	if err != nil || !found {
		return err
	}
	ids := row.UUIDs("_uuid")
	if len(ids) != 1 {
		return nil
	}
	_, err = p.db.Transact(ctx, ovsdb.Mutate("Open_vSwitch", ovsdb.All(),
		ovsdb.Mutation("bridges", "delete", ovsdb.Set(ovsdb.UUID(ids[0]))), ovsdb.Mutation("next_cfg", "+=", 1)))
	return p.explain(ctx, err)
}

// awaitSwitch returns when the bridge takes OpenFlow.
func awaitSwitch(ctx context.Context, cfg Config, flows Flows) error {
	deadline := time.Now().Add(switchPatience)
	for {
		_, err := flows.Has(ctx, canary(cfg.Owner))
		if err == nil || !errors.Is(err, ErrUnavailable) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w; if it does run, see its log: two of them cannot share a machine's userspace datapath", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
