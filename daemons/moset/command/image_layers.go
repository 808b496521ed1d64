package command

import (
	"fmt"
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

// tell takes the news of a transfer.
func (l *layerProgress) tell(e imagedocker.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	whole := &l.steps[0]
	if e.AllTotal > 0 {
		whole.Done, whole.Total = e.AllDone, e.AllTotal
	}
	whole.Message = ""
	if e.Kind == imagedocker.Retrying {
		whole.Message = fmt.Sprintf("broke off, tries again in %s: %v", e.Wait.Round(100*time.Millisecond), e.Cause)
	}
	if e.Layer != "" && e.Kind != imagedocker.Waiting {
		l.layer(e)
	}
	l.show()
}

func (l *layerProgress) layer(e imagedocker.Event) {
	i, ok := l.at[e.Layer]
	if !ok {
		i = len(l.steps)
		l.at[e.Layer] = i
		l.steps = append(l.steps, set.Step{Name: "layer " + e.Layer, State: set.StepRunning, StartedAt: time.Now()})
	}
	step := &l.steps[i]
	switch e.Kind {
	case imagedocker.Present:
		step.State, step.Message, step.EndedAt = set.StepDone, "there already", time.Now()
	case imagedocker.Ready:
		step.Done, step.Total = e.Total, e.Total
		step.State, step.EndedAt = set.StepDone, time.Now()
	case imagedocker.Downloading, imagedocker.Uploading:
		step.Done, step.Total = e.Done, e.Total
	}
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
