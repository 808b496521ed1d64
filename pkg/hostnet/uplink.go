package hostnet

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// keyUplink marks the row of the uplink, in external_ids. Its value is the index of the link it was made for.
const keyUplink = "moset-uplink"

// uplink is the bridge's way to other machines, as the port table has it.
type uplink struct {
	row   PortRow
	owner uint16
	index int // of the link when the row was made: another one may have the name by now
}

// parseUplink reads a row; false for rows that are none.
func parseUplink(r PortRow) (uplink, bool) {
	owner, ownerErr := strconv.ParseUint(r.ExternalIDs[keyOwner], 10, 16)
	index, indexErr := strconv.Atoi(r.ExternalIDs[keyUplink])
	return uplink{r, uint16(owner), index}, ownerErr == nil && indexErr == nil
}

// myUplink is the uplink this owner has set.
func (t table) myUplink(owner uint16) (uplink, bool) {
	if t.uplink == nil || t.uplink.owner != owner {
		return uplink{}, false
	}
	return *t.uplink, true
}

// checkReach refuses a tenant that no tag on the uplink can carry.
func (t table) checkReach(tenant Tenant) error {
	if t.uplink != nil && tenant > lastVLAN {
		return invalid("tenant %d does not fit a VLAN tag; on a bridge with an uplink (%s) tenants are 1 to %d", tenant, t.uplink.row.Name, lastVLAN)
	}
	return nil
}

// ensureUplink makes the uplink what the Config says, and takes away an earlier one of this owner.
func (h *Host) ensureUplink(ctx context.Context) error {
	unlock, err := h.parts.Ports.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := h.readRows(ctx)
	if err != nil {
		return err
	}
	var link Link
	if h.cfg.Uplink != "" {
		if link, err = h.raiseUplink(ctx, t); err != nil {
			return err
		}
	}
	if mine, ok := t.myUplink(h.cfg.Owner); ok {
		if h.uplinkFits(ctx, mine, link) {
			return nil
		}
		if err := h.dropUplink(ctx, mine.row); err != nil {
			return err
		}
	}
	if h.cfg.Uplink == "" {
		return nil
	}
	return h.addUplink(ctx, t, link)
}

// raiseUplink finds the link and readies it, where nobody else has it.
func (h *Host) raiseUplink(ctx context.Context, t table) (Link, error) {
	name := h.cfg.Uplink
	if u := t.uplink; u != nil && u.owner != h.cfg.Owner {
		return Link{}, fmt.Errorf("%w: the bridge has the uplink %s of %s, which all owners' ports use; leave Uplink empty", ErrConflict, u.row.Name, u.row.ExternalIDs[keyOwnerName])
	}
	if t.names[name] && (t.uplink == nil || t.uplink.row.Name != name) {
		return Link{}, fmt.Errorf("%w: other software put %s on the bridge; take it off with ovs-vsctl del-port, or choose another uplink", ErrConflict, name)
	}
	if h.parts.Uplinks == nil {
		return Link{}, fmt.Errorf("%w: this Host was made without a part for uplinks", ErrUnsupported)
	}
	return h.parts.Uplinks.Raise(ctx, name)
}

// uplinkFits tells whether the row is of this very link and the switch works with it.
func (h *Host) uplinkFits(ctx context.Context, u uplink, link Link) bool {
	if u.row.Name != link.Name || u.index != link.Index || h.parts.Ports.Wait(ctx, link.Name) != nil {
		return false
	}
	t, err := h.readRows(ctx)
	if err != nil {
		return false
	}
	now, ok := t.myUplink(h.cfg.Owner)
	return ok && now.row.Error == "" && now.row.OFPort == now.row.Request
}

// addUplink installs rules, then the row, and believes only what the switch then says.
func (h *Host) addUplink(ctx context.Context, t table, link Link) error {
	number, err := h.numbers.next(t.numbers)
	if err != nil {
		return err
	}
	row := PortRow{Name: link.Name, Request: number, ExternalIDs: map[string]string{
		keyUplink: strconv.Itoa(link.Index), keyOwner: strconv.Itoa(int(h.cfg.Owner)), keyOwnerName: h.cfg.OwnerName}}
	if err := h.parts.Flows.Apply(ctx, FlowChange{Add: renderUplink(h.cfg.Owner, number)}); err != nil {
		return err
	}
	err = h.parts.Ports.Commit(ctx, PortChange{Add: []PortRow{row}})
	if err == nil {
		err = h.parts.Ports.Wait(ctx, link.Name)
	}
	if err == nil {
		err = h.verifyUplink(ctx, number)
	}
	if err != nil {
		return errors.Join(err, h.undoUplink(context.WithoutCancel(ctx)))
	}
	h.log.Info("uplink is on the bridge", "bridge", h.cfg.Bridge, "link", link.Name)
	return nil
}

func (h *Host) verifyUplink(ctx context.Context, number int) error {
	t, err := h.readRows(ctx)
	if err != nil {
		return err
	}
	u, ok := t.myUplink(h.cfg.Owner)
	switch {
	case !ok:
		return fmt.Errorf("%w: other software took the uplink %s away while it was added", ErrConflict, h.cfg.Uplink)
	case u.row.Error != "":
		return fmt.Errorf("%w: the switch cannot use the uplink %s: %s", ErrConflict, h.cfg.Uplink, u.row.Error)
	case u.row.OFPort != number:
		return fmt.Errorf("%w: the switch gave the uplink %s number %d instead of %d; open again", ErrUnavailable, h.cfg.Uplink, u.row.OFPort, number)
	}
	return nil
}

// undoUplink takes away what a failed addUplink left.
func (h *Host) undoUplink(ctx context.Context) error {
	t, err := h.readRows(ctx)
	if err != nil {
		return err
	}
	mine, _ := t.myUplink(h.cfg.Owner)
	return h.dropUplink(ctx, mine.row)
}

// dropUplink takes away the row, if there is one, and then the rules: without them rules of other software
// could take what still comes in.
func (h *Host) dropUplink(ctx context.Context, row PortRow) error {
	if row.UUID != "" {
		if err := h.parts.Ports.Commit(ctx, PortChange{Remove: []PortRow{row}}); err != nil {
			return err
		}
	}
	return h.parts.Flows.Apply(ctx, FlowChange{Delete: []*ovs.MatchFlow{flowsOf(h.cfg.Owner, kindUplink)}})
}

// readRows reads the port table, without links.
func (h *Host) readRows(ctx context.Context) (table, error) {
	rows, err := h.parts.Ports.List(ctx)
	if err != nil {
		return table{}, err
	}
	return readTable(rows, nil, h.cfg.Owner), nil
}
