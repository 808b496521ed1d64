package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/nomad/helper/uuid"
	"github.com/hashicorp/nomad/nomad/mock"
	"github.com/hashicorp/nomad/nomad/structs"
)

const (
	cores     = 32 // of a host; Nomad counts MHz, so a core is 1000 of them
	memoryMiB = 128 << 10
)

// workload is what to place on what.
type workload struct {
	policy                    string
	hosts, racks, sets, batch int
	shapes                    []shape
}

type shape struct{ millicores, mebibytes int }

func (w *workload) parseShapes(list string) error {
	for _, text := range strings.Split(list, ",") {
		var s shape
		if _, err := fmt.Sscanf(text, "%d:%d", &s.millicores, &s.mebibytes); err != nil || s.millicores < 1 || s.mebibytes < 1 {
			return fmt.Errorf("%q is no shape: write millicores:MiB, such as 1000:2048", text)
		}
		w.shapes = append(w.shapes, s)
	}
	return nil
}

// node is Nomad's usual node with the size of a host, nothing kept back, and its rack as metadata.
func (w *workload) node(i int) (*structs.Node, error) {
	n := mock.Node()
	n.Name = fmt.Sprintf("h%05d", i)
	n.Meta = map[string]string{"rack": fmt.Sprintf("r%d", i%w.racks)}
	n.Reserved, n.ReservedResources = nil, &structs.NodeReservedResources{}
	topology := structs.MockBasicTopology()
	topology.OverrideTotalCompute = cores * 1000
	n.NodeResources.Processors = structs.NodeProcessorResources{Topology: topology}
	n.NodeResources.Memory.MemoryMB = memoryMiB
	n.NodeResources.Disk.DiskMB = 4 << 20
	n.NodeResources.Compatibility()
	return n, n.ComputeClass() // the metadata is part of the class
}

// job is one batch: a group of one task, without ports, services and the constraints of the mock, which no plain
// node keeps.
func (w *workload) job(k int) *structs.Job {
	j := mock.Job()
	j.ID = fmt.Sprintf("job-%d", k)
	j.Name, j.Constraints = j.ID, nil
	if w.policy != "pack" {
		j.Spreads = []*structs.Spread{{Attribute: "${meta.rack}", Weight: 100}}
	}
	if w.policy == "apart" {
		j.Constraints = []*structs.Constraint{{Operand: structs.ConstraintDistinctHosts}}
	}
	group := j.TaskGroups[0]
	group.Count = min(w.batch, w.sets-k*w.batch)
	group.Networks, group.Services, group.Constraints = nil, nil, nil
	group.EphemeralDisk = &structs.EphemeralDisk{SizeMB: 10}
	s := w.shapes[k%len(w.shapes)]
	task := group.Tasks[0]
	task.Services, task.Constraints = nil, nil
	task.Resources = &structs.Resources{CPU: s.millicores, MemoryMB: s.mebibytes}
	return j
}

func evaluation(j *structs.Job) *structs.Evaluation {
	return &structs.Evaluation{
		ID: uuid.Generate(), Namespace: j.Namespace, JobID: j.ID, Type: j.Type, Priority: j.Priority,
		TriggeredBy: structs.EvalTriggerJobRegister, Status: structs.EvalStatusPending,
	}
}
