package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-version"

	"github.com/hashicorp/nomad/nomad/state"
	"github.com/hashicorp/nomad/nomad/structs"
	"github.com/hashicorp/nomad/scheduler"
)

// cluster is Nomad's state store, and the planner that its scheduler hands plans to: it writes them to the store as
// they are. A server would check each node of a plan once more, and send it through Raft.
type cluster struct {
	state  *state.StateStore
	index  uint64
	failed error // what the scheduler said of the last evaluation
}

var _ scheduler.Planner = (*cluster)(nil)

// newCluster has the workload's nodes, and its jobs as registered but not yet looked at.
func newCluster(w workload) (*cluster, []*structs.Evaluation, error) {
	s, err := state.NewStateStore(&state.StateStoreConfig{
		Logger: hclog.NewNullLogger(), Region: "global", JobTrackedVersions: structs.JobDefaultTrackedVersions,
	})
	if err != nil {
		return nil, nil, err
	}
	c := &cluster{state: s, index: 1}
	for i := range w.hosts {
		n, err := w.node(i)
		if err != nil {
			return nil, nil, err
		}
		if err := s.UpsertNode(structs.MsgTypeTestSetup, c.next(), n); err != nil {
			return nil, nil, err
		}
	}
	var evals []*structs.Evaluation
	for k := 0; k*w.batch < w.sets; k++ {
		j := w.job(k)
		if err := s.UpsertJob(structs.MsgTypeTestSetup, c.next(), nil, j); err != nil {
			return nil, nil, err
		}
		evals = append(evals, evaluation(j))
	}
	return c, evals, s.UpsertEvals(structs.MsgTypeTestSetup, c.next(), evals)
}

func (c *cluster) next() uint64 {
	c.index++
	return c.index
}

// process has the service scheduler plan one evaluation on a snapshot of now, and commit the plan.
func (c *cluster) process(e *structs.Evaluation, events chan<- any) error {
	snap, err := c.state.Snapshot()
	if err != nil {
		return err
	}
	c.failed = errors.New("the scheduler did not say how it ended")
	if err := scheduler.NewServiceScheduler(hclog.NewNullLogger(), events, snap, c).Process(e); err != nil {
		return err
	}
	return c.failed
}

// SubmitPlan writes the plan to the store.
func (c *cluster) SubmitPlan(p *structs.Plan) (*structs.PlanResult, scheduler.State, error) {
	index, now := c.next(), time.Now().UTC().UnixNano()
	req := structs.ApplyPlanResultsRequest{
		AllocUpdateRequest: structs.AllocUpdateRequest{Job: p.Job},
		Deployment:         p.Deployment, DeploymentUpdates: p.DeploymentUpdates, EvalID: p.EvalID,
	}
	for _, allocs := range p.NodeAllocation {
		for _, a := range allocs {
			a.CreateTime = now
		}
		req.AllocsUpdated = append(req.AllocsUpdated, allocs...)
	}
	result := &structs.PlanResult{NodeUpdate: p.NodeUpdate, NodeAllocation: p.NodeAllocation, AllocIndex: index}
	return result, nil, c.state.UpsertPlanResults(structs.MsgTypeTestSetup, index, &req)
}

// UpdateEval notes how the evaluation ended.
func (c *cluster) UpdateEval(e *structs.Evaluation) error {
	c.failed = nil
	for group, why := range e.FailedTGAllocs {
		c.failed = fmt.Errorf("%s of %s was not placed in full: %+v", group, e.JobID, *why)
	}
	if e.Status != structs.EvalStatusComplete {
		c.failed = fmt.Errorf("%s ended as %s: %s", e.JobID, e.Status, e.StatusDescription)
	}
	return nil
}

// CreateEval is asked when a part must wait; UpdateEval says so as well.
func (c *cluster) CreateEval(*structs.Evaluation) error { return nil }

// ReblockEval is not asked of evaluations that were never blocked.
func (c *cluster) ReblockEval(*structs.Evaluation) error { return nil }

// ServersMeetMinimumVersion is true of one server of this version.
func (c *cluster) ServersMeetMinimumVersion(*version.Version, bool) bool { return true }
