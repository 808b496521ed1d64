package hostnet

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"path/filepath"
	"time"
)

// Datapath says which part of Open vSwitch carries packets. It decides whether checksum offload must be
// off: the userspace datapath reads frames whose checksum nobody has computed yet.
type Datapath string

// The datapaths of Open vSwitch (Bridge.datapath_type in ovs-vswitchd.conf.db(5)).
const (
	DatapathAuto   Datapath = ""       // what the bridge has; for a new one the kernel's if it has one
	DatapathSystem Datapath = "system" // the kernel module
	DatapathNetdev Datapath = "netdev" // ovs-vswitchd itself
)

// Defaults of Config.
const (
	DefaultBridge   = "br-moset"
	DefaultRunDir   = "/var/run/openvswitch"
	DefaultMaxBatch = 50
)

// Config says where the switch is and who is asking. Owner is the only field without a default.
type Config struct {
	Bridge     string        // made when missing; "" is DefaultBridge
	RunDir     string        // Open vSwitch's run directory: db.sock and <Bridge>.mgmt; "" is DefaultRunDir
	Datapath   Datapath      // for a bridge that has to be made; "" finds out
	Owner      uint16        // 1..65535: marks ports and flows as ours; nobody else's are ever removed
	OwnerName  string        // the same for people reading ovs-vsctl output; "" is "owner-<Owner>"
	LinkGroup  uint32        // group of our host links (ip link show group N); 0 derives one from RunDir, Bridge and Owner
	Uplink     string        // link of this machine that joins the bridge to those of others; "" is none, see the package's text
	MaxBatch   int           // most ports in one commit to the switch; 0 is DefaultMaxBatch
	BatchDelay time.Duration // how long to wait for more callers before a commit; 0 takes who is there
	Watch      time.Duration // how often to look whether the switch lost its flows; 0 is one second
	Timeout    time.Duration // longest wait for the switch to take a batch; 0 is 30 seconds
	Logger     *slog.Logger  // nil discards
}

// withDefaults fills the zero fields.
func (c Config) withDefaults() Config {
	c.Bridge = or(c.Bridge, DefaultBridge)
	c.RunDir = or(c.RunDir, DefaultRunDir)
	c.OwnerName = or(c.OwnerName, fmt.Sprintf("owner-%d", c.Owner))
	c.MaxBatch = or(c.MaxBatch, DefaultMaxBatch)
	c.Watch = or(c.Watch, time.Second)
	c.Timeout = or(c.Timeout, 30*time.Second)
	c.LinkGroup = or(c.LinkGroup, linkGroup(c))
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// linkGroup differs for each switch, bridge and owner on a machine, so that a sweep of leftover links
// never meets those of another.
func linkGroup(c Config) uint32 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", filepath.Clean(c.RunDir), c.Bridge, c.Owner)
	return h.Sum32()&0x3fffffff | 0x40000000
}

// DBSocket is where the database of Open vSwitch listens.
func (c Config) DBSocket() string { return filepath.Join(or(c.RunDir, DefaultRunDir), "db.sock") }

// OpenFlowSocket is where the bridge takes OpenFlow.
func (c Config) OpenFlowSocket() string {
	return filepath.Join(or(c.RunDir, DefaultRunDir), or(c.Bridge, DefaultBridge)+".mgmt")
}

// HostLinkGroup is the group of the host links (ip link show group N): LinkGroup, or what takes its place.
func (c Config) HostLinkGroup() uint32 { return c.withDefaults().LinkGroup }

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
