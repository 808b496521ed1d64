package hostnet

import (
	"context"

	"github.com/moset/moset/pkg/hostnet/internal/ovsdb"
)

// Open connects to the Open vSwitch at cfg.RunDir and takes over what cfg.Owner has on the bridge, which
// is made when it is missing, with fail mode secure: closed while it has no rules.
// Errors: ErrPermission, ErrUnavailable, ErrUnsupported, ErrInvalid, ErrNotFound (no such uplink), ErrConflict
// (a bridge of that name that forwards by itself, or an uplink that is in use).
func Open(ctx context.Context, cfg Config) (*Host, error) {
	cfg = cfg.withDefaults()
	if err := checkConfig(cfg); err != nil {
		return nil, fail("open bridge", cfg.Bridge, err)
	}
	db := &ovsdb.Client{Path: cfg.DBSocket()}
	datapath, parts, err := reachSwitch(ctx, cfg, db)
	if err != nil {
		db.Close()
		return nil, fail("open bridge", cfg.Bridge, err)
	}
	links, err := newKernelLinks(cfg.LinkGroup, datapath)
	if err != nil {
		db.Close()
		return nil, fail("open bridge", cfg.Bridge, err)
	}
	parts.Links, parts.Uplinks, parts.Shaper = links, links, &tbfShaper{host: links.host}
	release := func() { links.host.Close(); db.Close() }
	host, err := New(ctx, cfg, parts)
	if err != nil {
		release()
		return nil, err
	}
	host.release = release
	return host, nil
}

func checkConfig(cfg Config) error {
	if cfg.Owner == 0 {
		return invalid("Owner must be 1 to 65535")
	}
	if !isToken(cfg.Bridge, 15) {
		return invalid("bridge name %q must be 1 to 15 characters without spaces", cfg.Bridge)
	}
	if cfg.Uplink != "" && !isToken(cfg.Uplink, 15) || cfg.Uplink == cfg.Bridge {
		return invalid("uplink %q must be another link of this machine, by a name of 1 to 15 characters", cfg.Uplink)
	}
	return requireRoot()
}

// reachSwitch connects to database and bridge.
func reachSwitch(ctx context.Context, cfg Config, db *ovsdb.Client) (Datapath, Parts, error) {
	ports := &ovsdbPorts{db: db, bridge: cfg.Bridge, wait: int(cfg.Timeout.Milliseconds())}
	flows := &ofctlFlows{runDir: cfg.RunDir, socket: cfg.OpenFlowSocket()}
	datapath, err := ensureBridge(ctx, cfg, ports, flows)
	return datapath, Parts{Ports: ports, Flows: flows}, err
}
