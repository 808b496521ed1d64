package sched

import (
	"fmt"
	"strconv"
	"strings"
)

// Resource names one dimension of a Vector.
type Resource uint8

// The dimensions a host offers and a set needs. Custom0 to Custom7 are the
// operator's own (accelerators in thousandths, licences, huge pages); the
// scheduler gives them no meaning but counts them like the others.
const (
	CPU    Resource = iota // millicores
	Memory                 // bytes
	Disk                   // bytes
	NetIn                  // bit/s towards the sets
	NetOut                 // bit/s from the sets
	Pids                   // processes and threads
	IPs                    // addresses a host can carry over all networks
	Custom0
	Custom1
	Custom2
	Custom3
	Custom4
	Custom5
	Custom6
	Custom7
)

// NumResources is the length of a Vector.
const NumResources = int(Custom7) + 1

var resourceNames = [NumResources]string{
	"cpu", "memory", "disk", "inbound bandwidth", "outbound bandwidth", "pids", "addresses",
	"custom0", "custom1", "custom2", "custom3", "custom4", "custom5", "custom6", "custom7",
}

// String is the name an operator reads, such as "memory".
func (r Resource) String() string {
	if int(r) >= NumResources {
		return "resource " + strconv.Itoa(int(r))
	}
	return resourceNames[r]
}

// Format writes n of this resource in the unit people use: 1500 of CPU is
// "1.5 cores", 4294967296 of Memory is "4 GiB".
func (r Resource) Format(n int64) string {
	switch r {
	case CPU:
		if n == 1000 {
			return "1 core"
		}
		return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) + " cores"
	case Memory, Disk:
		return scaled(n, 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
	case NetIn, NetOut:
		return scaled(n, 1000, "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s")
	}
	return strconv.FormatInt(n, 10)
}

func scaled(n int64, step float64, units ...string) string {
	f, k := float64(n), 0
	for (f >= step || f <= -step) && k < len(units)-1 {
		f, k = f/step, k+1
	}
	return trim(f) + " " + units[k]
}

func trim(f float64) string {
	s := strconv.FormatFloat(f, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Vector is an amount of every resource, in the units of the Resource
// constants. The zero Vector is nothing.
//
//	need := sched.Vector{sched.CPU: 500, sched.Memory: 1 << 30}
type Vector [NumResources]int64

// String lists what is not zero, such as "cpu 0.5 cores, memory 1 GiB".
func (v Vector) String() string {
	var parts []string
	for r, n := range v {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Resource(r), Resource(r).Format(n)))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// Plus is the sum of two vectors.
func (v Vector) Plus(w Vector) Vector {
	for r := range v {
		v[r] += w[r]
	}
	return v
}

// Fits reports whether v can be taken from free; what v does not need may be
// negative there (a host whose overcommit was lowered).
func (v Vector) Fits(free Vector) bool { return v.short(&free) < 0 }

// short is the first resource free has too little of, or -1.
func (v *Vector) short(free *Vector) int {
	for r, n := range v {
		if n > 0 && n > free[r] {
			return r
		}
	}
	return -1
}
