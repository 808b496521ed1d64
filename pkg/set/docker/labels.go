package docker

import (
	"cmp"
	"strconv"

	"github.com/docker/docker/api/types/filters"

	"github.com/moset/moset/pkg/set"
)

// The labels of every container.
const (
	labelHost       = "moset.host"
	labelServer     = "moset.server"
	labelGeneration = "moset.generation"
	labelEpoch      = "moset.epoch"
	labelHash       = "moset.hash"
	labelName       = "moset.name"
	labelRole       = "moset.role"
	labelOrder      = "moset.order" // position in the set, infra 0
)

func (e *Engine) labels(a set.Assignment, name string, role set.Role, order int) map[string]string {
	return map[string]string{
		labelHost:       e.cfg.HostName,
		labelServer:     a.ServerID,
		labelGeneration: strconv.FormatUint(a.Generation, 10),
		labelEpoch:      strconv.FormatUint(a.Epoch, 10),
		labelHash:       set.SpecHash(a),
		labelName:       name,
		labelRole:       string(role),
		labelOrder:      strconv.Itoa(order),
	}
}

// mine selects this host's containers, of one server if it is named.
func (e *Engine) mine(serverID string) filters.Args {
	f := filters.NewArgs(filters.Arg("label", labelHost+"="+e.cfg.HostName))
	if serverID != "" {
		f.Add("label", labelServer+"="+serverID)
	}
	return f
}

// containerName is the same for every try, so that a create cut off half-way is found again.
func containerName(serverID, name string) string { return "moset-" + serverID + "-" + name }

// roleOf is a container's role with the default filled in.
func roleOf(c set.Container) set.Role { return cmp.Or(c.Role, set.RoleApp) }

func labelNumber(labels map[string]string, key string) uint64 {
	n, _ := strconv.ParseUint(labels[key], 10, 64)
	return n
}
