// Package profile records the process that moset runs in while a bench measures. Docker, Open vSwitch and the
// services of OpenStack are other processes, which it does not show.
package profile

import (
	"errors"
	"flag"
	"os"
	"runtime/pprof"
	"runtime/trace"
)

// Profile is what to record; the zero value is nothing.
type Profile struct {
	CPU, Trace string // files to write; "" is none

	open []*os.File
}

// Flags adds -cpuprofile and -trace.
func (p *Profile) Flags(f *flag.FlagSet) {
	f.StringVar(&p.CPU, "cpuprofile", "", "write a CPU profile of this process, which moset runs in, to this file")
	f.StringVar(&p.Trace, "trace", "", "write an execution trace to this file")
}

// Start begins to record. Errors say which file cannot be written.
func (p *Profile) Start() error {
	if p.CPU != "" {
		f, err := p.create(p.CPU)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	if p.Trace != "" {
		f, err := p.create(p.Trace)
		if err != nil {
			return err
		}
		return trace.Start(f)
	}
	return nil
}

func (p *Profile) create(name string) (*os.File, error) {
	f, err := os.Create(name)
	if err == nil {
		p.open = append(p.open, f)
	}
	return f, err
}

// Stop ends the recording.
func (p *Profile) Stop() error {
	pprof.StopCPUProfile()
	trace.Stop()
	var errs []error
	for _, f := range p.open {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
