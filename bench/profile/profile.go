package main

import (
	"errors"
	"os"
	"runtime/pprof"
	"runtime/trace"
)

// profile is what to record of this process while it measures. Region, host, registry and the boxes run in
// it, so it shows their work; Docker and Open vSwitch are other processes.
type profile struct {
	cpu, trace string // files; "" is none
	open       []*os.File
}

func (p *profile) start() error {
	if p.cpu != "" {
		f, err := p.create(p.cpu)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	if p.trace != "" {
		f, err := p.create(p.trace)
		if err != nil {
			return err
		}
		return trace.Start(f)
	}
	return nil
}

func (p *profile) create(name string) (*os.File, error) {
	f, err := os.Create(name)
	if err == nil {
		p.open = append(p.open, f)
	}
	return f, err
}

func (p *profile) stop() error {
	pprof.StopCPUProfile()
	trace.Stop()
	var errs []error
	for _, f := range p.open {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
