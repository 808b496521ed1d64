package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moset/moset/pkg/set"
)

// progress shows a task's steps: live bars on a terminal, one line per finished step elsewhere.
type progress struct {
	out     io.Writer
	bars    *mpb.Progress // nil when out is not a terminal
	byStep  map[string]*mpb.Bar
	printed map[string]bool
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, byStep: map[string]*mpb.Bar{}, printed: map[string]bool{}}
	if isTerminal(out) {
		p.bars = newBars(out)
	}
	return p
}

func newBars(out io.Writer, more ...mpb.ContainerOption) *mpb.Progress {
	return mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(out), mpb.WithWidth(30), mpb.WithRefreshRate(80 * time.Millisecond)}, more...)...)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show brings the display up to the task's steps; it is a callback for set.Wait.
func (p *progress) show(t set.Task) {
	for _, s := range t.Steps {
		if p.bars == nil {
			p.printStep(s)
			continue
		}
		p.moveBar(s)
	}
}

// printStep writes one line when a step has ended.
func (p *progress) printStep(s set.Step) {
	if s.State == set.StepRunning || p.printed[s.Name] {
		return
	}
	p.printed[s.Name] = true
	detail := s.Message
	if s.Total > 0 {
		detail = size(s.Total)
	}
	fmt.Fprintf(p.out, "  %-24s %-7s %6.2f s  %s\n", s.Name, s.State, s.EndedAt.Sub(s.StartedAt).Seconds(), detail)
}

func (p *progress) moveBar(s set.Step) {
	bar, ok := p.byStep[s.Name]
	if !ok {
		bar = p.addBar(s)
		p.byStep[s.Name] = bar
	}
	total := max(s.Total, 1)
	done := s.Done
	if s.State == set.StepDone {
		done = total
	}
	bar.SetTotal(total, false)
	bar.SetCurrent(min(done, total))
	switch s.State {
	case set.StepDone:
		bar.SetTotal(total, true)
	case set.StepFailed:
		bar.Abort(false)
	}
}

// addBar makes a bar without a total: mpb takes a total that changes only from a bar that began without one.
func (p *progress) addBar(s set.Step) *mpb.Bar {
	return p.bars.AddBar(0,
		mpb.PrependDecorators(decor.Name(s.Name, decor.WC{W: 24, C: decor.DindentRight}), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6})),
		mpb.AppendDecorators(decor.Any(counters)))
}

// counters are the bytes of a step that moves some.
func counters(s decor.Statistics) string {
	if s.Total <= 1 {
		return ""
	}
	return size(s.Current) + " / " + size(s.Total)
}

// close leaves the display as it is and gives the terminal back.
func (p *progress) close() {
	if p.bars == nil {
		return
	}
	for _, b := range p.byStep {
		if !b.Completed() {
			b.Abort(false)
		}
	}
	p.bars.Wait()
}
