package set

import "net/netip"

// Kind says what a server is made of.
type Kind string

// The kinds of server. One record, one API and one controller serve all of them.
const (
	KindSet Kind = "set" // containers that share network, IPC and volumes
	KindVM  Kind = "vm"  // a virtual machine; the record allows it, an Engine must serve it
)

// Spec is what a tenant asks for. It can only say what a tenant may have: there is no field for
// host namespaces, devices, added capabilities or paths of the host.
type Spec struct {
	Kind       Kind              `json:"kind,omitempty"`        // default KindSet
	Containers []Container       `json:"containers"`            // sidecars and apps; the infra container is implied
	Volumes    []Volume          `json:"volumes,omitempty"`     // shared by the containers that mount them
	Resources  Resources         `json:"resources"`             // limits of the set as a whole
	Networks   []NetworkRequest  `json:"networks,omitempty"`    // at most one; none means the project's default network
	DNS        []netip.Addr      `json:"dns,omitempty"`         // name servers, in order
	HostLabels map[string]string `json:"host_labels,omitempty"` // labels a host must carry
	Fencing    Fencing           `json:"fencing,omitempty"`     // default FencingKeep
}

// Container is one member of a set.
type Container struct {
	Name       string            `json:"name"`                  // unique in the set: a-z, 0-9, "-", at most 40 characters
	Role       Role              `json:"role,omitempty"`        // default RoleApp
	Image      string            `json:"image"`                 // "repo:tag", "project/repo:tag" or "…@sha256:…"
	Command    []string          `json:"command,omitempty"`     // replaces the image's entrypoint
	Args       []string          `json:"args,omitempty"`        // replaces the image's command
	Env        map[string]string `json:"env,omitempty"`         // added to the image's environment
	WorkingDir string            `json:"working_dir,omitempty"` // absolute
	User       string            `json:"user,omitempty"`        // "uid", "uid:gid" or a name of the image
	Mounts     []Mount           `json:"mounts,omitempty"`
	Resources  Resources         `json:"resources,omitzero"`    // limits of this container, within the set's
	StartAfter []string          `json:"start_after,omitempty"` // containers that must run first; none: all start together
	StopGrace  Duration          `json:"stop_grace,omitempty"`  // between TERM and KILL; default 10s
	ReadOnly   bool              `json:"read_only,omitempty"`   // root file system cannot be written
}

// Role orders a set's containers: sidecars start no later and stop no earlier than apps.
type Role string

// The roles. Infra holds the network namespace and is made by the host, never named in a Spec.
const (
	RoleInfra   Role = "infra"
	RoleSidecar Role = "sidecar"
	RoleApp     Role = "app"
)

// Volume is a directory that lives as long as the set and is shared by its containers.
type Volume struct {
	Name string `json:"name"` // unique in the set; same rule as Container.Name
}

// Mount places a Volume in a container.
type Mount struct {
	Volume   string `json:"volume"`
	Path     string `json:"path"` // absolute path in the container
	ReadOnly bool   `json:"read_only,omitempty"`
}

// Resources are upper limits; zero means none of its own.
type Resources struct {
	CPU    MilliCPU `json:"cpu,omitempty"`    // millicores
	Memory Bytes    `json:"memory,omitempty"` // bytes
	Pids   int64    `json:"pids,omitempty"`   // processes and threads
}

// NetworkRequest asks for one address on a network of the project.
type NetworkRequest struct {
	Network string  `json:"network,omitempty"` // name or id; empty means the project's default network
	Ingress BitRate `json:"ingress,omitempty"` // to the set, bits per second; zero means no limit
	Egress  BitRate `json:"egress,omitempty"`  // from the set, bits per second; zero means no limit
}

// Fencing says what a host does with a server when its lease runs out.
type Fencing string

// The fencing rules.
const (
	FencingKeep   Fencing = "keep"   // keep running; never re-placed unless an operator declares the host dead
	FencingStrict Fencing = "strict" // stop, so that the server may be re-placed elsewhere
)
