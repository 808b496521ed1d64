package hostnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/pkg/hostnet/internal/ovsdb"
)

// ovsdbPorts is Ports by the Open vSwitch database.
type ovsdbPorts struct {
	db     *ovsdb.Client
	bridge string
	wait   int // milliseconds the switch may take
}

// Lock implements Ports. The lock is the database's own, so it holds between processes and a crash frees it.
func (p *ovsdbPorts) Lock(ctx context.Context) (func(), error) {
	unlock, err := p.db.Lock(ctx, fmt.Sprintf("moset_%x", p.bridge)) // a lock name has letters, digits and _ only
	return unlock, p.explain(ctx, err)
}

// List implements Ports.
func (p *ovsdbPorts) List(ctx context.Context) ([]PortRow, error) {
	tables, err := p.db.Transact(ctx,
		ovsdb.Select("Bridge", ovsdb.Equal("name", p.bridge), "ports"),
		ovsdb.Select("Port", ovsdb.All(), "_uuid", "interfaces", "qos"),
		ovsdb.Select("Interface", ovsdb.All(), "_uuid", "name", "ofport", "ofport_request", "ifindex", "error", "external_ids"))
	if err != nil {
		return nil, p.explain(ctx, err)
	}
	if len(tables[0]) == 0 {
		return nil, fmt.Errorf("%w: bridge %s is gone from Open vSwitch; restart this service to make it again", ErrUnavailable, p.bridge)
	}
	return joinRows(tables[0][0], tables[1], tables[2]), nil
}

// joinRows finds the interfaces of the bridge through its ports.
func joinRows(bridge ovsdb.Row, ports, interfaces []ovsdb.Row) []PortRow {
	onBridge := map[string]bool{}
	for _, id := range bridge.UUIDs("ports") {
		onBridge[id] = true
	}
	portOf := map[string]ovsdb.Row{} // by interface
	for _, r := range ports {
		port := r.UUIDs("_uuid")
		if len(port) != 1 || !onBridge[port[0]] {
			continue
		}
		for _, id := range r.UUIDs("interfaces") {
			portOf[id] = r
		}
	}
	var rows []PortRow
	for _, r := range interfaces {
		if id := r.UUIDs("_uuid"); len(id) == 1 && portOf[id[0]] != nil {
			rows = append(rows, portRow(portOf[id[0]], r))
		}
	}
	return rows
}

func portRow(port, r ovsdb.Row) PortRow {
	row := PortRow{UUID: one(port.UUIDs("_uuid")), QoS: one(port.UUIDs("qos")), Name: r.Text("name"), Error: r.Text("error"), ExternalIDs: r.Strings("external_ids")}
	row.OFPort, _ = r.Int("ofport")
	row.Request, _ = r.Int("ofport_request")
	row.Ifindex, _ = r.Int("ifindex")
	return row
}

func one(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// Commit implements Ports with one transaction.
func (p *ovsdbPorts) Commit(ctx context.Context, change PortChange) error {
	ops := append(p.addOps(change.Add), p.removeOps(change.Remove)...)
	for _, r := range change.Update {
		ops = append(ops, ovsdb.Update("Interface", ovsdb.Equal("name", r.Name), ovsdb.Row{"external_ids": ovsdb.Map(r.ExternalIDs)}))
	}
	if len(ops) == 0 {
		return nil
	}
	ops = append(ops, ovsdb.Mutate("Open_vSwitch", ovsdb.All(), ovsdb.Mutation("next_cfg", "+=", 1)))
	_, err := p.db.Transact(ctx, ops...)
	return p.explain(ctx, err)
}

// addOps inserts interface, port and QoS. Without a QoS of this type the switch would take our bandwidth
// limits off the device whenever it configures it (QoS, linux-noop, in ovs-vswitchd.conf.db(5)).
func (p *ovsdbPorts) addOps(add []PortRow) []ovsdb.Op {
	var ops []ovsdb.Op
	var ports []any
	for i, r := range add {
		port, iface, qos := fmt.Sprintf("port%d", i), fmt.Sprintf("iface%d", i), fmt.Sprintf("qos%d", i)
		ops = append(ops,
			ovsdb.Insert("QoS", qos, ovsdb.Row{"type": "linux-noop"}),
			ovsdb.Insert("Interface", iface, ovsdb.Row{"name": r.Name, "ofport_request": r.Request, "external_ids": ovsdb.Map(r.ExternalIDs)}),
			ovsdb.Insert("Port", port, ovsdb.Row{"name": r.Name, "interfaces": ovsdb.Named(iface), "qos": ovsdb.Named(qos)}))
		ports = append(ports, ovsdb.Named(port))
	}
	if len(ports) == 0 {
		return nil
	}
	return append(ops, ovsdb.Mutate("Bridge", ovsdb.Equal("name", p.bridge), ovsdb.Mutation("ports", "insert", ovsdb.Set(ports...))))
}

// removeOps drops the references; the database collects ports and interfaces nobody refers to, but no QoS.
func (p *ovsdbPorts) removeOps(remove []PortRow) []ovsdb.Op {
	var ports []any
	var ops []ovsdb.Op
	for _, r := range remove {
		ports = append(ports, ovsdb.UUID(r.UUID))
		if r.QoS != "" {
			ops = append(ops,
				ovsdb.Update("Port", ovsdb.Equal("_uuid", ovsdb.UUID(r.UUID)), ovsdb.Row{"qos": ovsdb.Set()}),
				ovsdb.Delete("QoS", ovsdb.Equal("_uuid", ovsdb.UUID(r.QoS))))
		}
	}
	if len(ports) == 0 {
		return nil
	}
	return append(ops, ovsdb.Mutate("Bridge", ovsdb.Equal("name", p.bridge), ovsdb.Mutation("ports", "delete", ovsdb.Set(ports...))))
}

// Wait implements Ports: the server blocks until each row has a number.
func (p *ovsdbPorts) Wait(ctx context.Context, names ...string) error {
	ops := make([]ovsdb.Op, 0, len(names))
	for _, name := range names {
		ops = append(ops, ovsdb.WaitUntilNot("Interface", ovsdb.Equal("name", name), ovsdb.Row{"ofport": ovsdb.Set()}, p.wait))
	}
	_, err := p.db.Transact(ctx, ops...)
	return p.explain(ctx, err)
}

// explain gives a failure of the database the sentence that says what to do.
func (p *ovsdbPorts) explain(ctx context.Context, err error) error {
	var refused *ovsdb.OpError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: Open vSwitch's database did not answer in time at %s: %w", ErrUnavailable, p.db.Path, ctx.Err())
	case errors.As(err, &refused) && refused.Kind == "timed out":
		return fmt.Errorf("%w: ovs-vswitchd did not take the change within %d ms; see that it runs", ErrUnavailable, p.wait)
	case errors.As(err, &refused) && refused.Kind == "constraint violation":
		return fmt.Errorf("%w: the name is taken on a bridge of this Open vSwitch: %w", ErrConflict, err)
	case errors.As(err, &refused):
		return err
	}
	return fmt.Errorf("%w: Open vSwitch does not answer at %s; start it or set RunDir to its run directory: %w", ErrUnavailable, p.db.Path, err)
}
