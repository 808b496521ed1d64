package command

import (
	"sync"
	"time"

	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// layerProgress shows a transfer as a task: itself as the first step, then a step for each layer.
type layerProgress struct {
	mu    sync.Mutex // a transfer that was given up may still tell of itself
	ended bool
	p     *progress
	steps []set.Step
	at    map[string]int // of a layer in steps
}

func newLayerProgress(p *progress, what string) *layerProgress {
	return &layerProgress{p: p, at: map[string]int{}, steps: []set.Step{{Name: what, State: set.StepRunning, StartedAt: time.Now()}}}
}

func (l *layerProgress) show() {
	if !l.ended {
		l.p.show(set.Task{Steps: l.steps})
	}
}

// whole is told of the bytes of all layers together.
func (l *layerProgress) whole(done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps[0].Done, l.steps[0].Total = done, total
	l.show()
}

// layer is told of one of them.
func (l *layerProgress) layer(of imagedocker.LayerProgress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.at[of.ID]
	if !ok {
		i = len(l.steps)
		l.at[of.ID] = i
		l.steps = append(l.steps, set.Step{Name: "layer " + of.ID, State: set.StepRunning, StartedAt: time.Now()})
	}
	step := &l.steps[i]
	step.Done, step.Total = of.Done, of.Total
	switch of.State {
	case imagedocker.LayerPresent:
		step.State, step.Message, step.EndedAt = set.StepDone, "there already", time.Now()
	case imagedocker.LayerDone:
		step.State, step.EndedAt = set.StepDone, time.Now()
	}
	l.show()
}

// end closes the display; what still ran did not come to its end.
func (l *layerProgress) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.steps {
		step := &l.steps[i]
		if step.State != set.StepRunning {
			continue
		}
		step.State, step.EndedAt = set.StepDone, time.Now()
		if err != nil {
			step.State = set.StepFailed
		}
	}
	l.show()
	l.ended = true
	l.p.close()
}
