package main

import (
	"runtime"
	"syscall"
	"time"
)

// meter adds up what the process uses between start and stop.
type meter struct {
	wall, cpu time.Duration // cpu is user and system time, collector of garbage included
	allocs    uint64
	bytes     uint64

	begun  time.Time
	spent  time.Duration
	before runtime.MemStats
}

// start begins with an empty nursery, so that nobody pays for garbage made before.
func (m *meter) start() {
	runtime.GC()
	runtime.ReadMemStats(&m.before)
	m.begun, m.spent = time.Now(), processorTime()
}

func (m *meter) stop() {
	m.wall += time.Since(m.begun)
	m.cpu += processorTime() - m.spent
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	m.allocs += after.Mallocs - m.before.Mallocs
	m.bytes += after.TotalAlloc - m.before.TotalAlloc
}

func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0 // it fails for wrong arguments only
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// heap is what is in use and can be reached.
func heap() int64 {
	runtime.GC()
	runtime.GC() // the first one only puts into the victims' cache what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
