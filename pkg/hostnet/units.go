package hostnet

import "time"

// BitRate is a bandwidth in bits per second.
type BitRate uint64

// Rates as people write them.
const (
	Kbit BitRate = 1e3
	Mbit BitRate = 1e6
	Gbit BitRate = 1e9
)

// ByteSize is a size in bytes.
type ByteSize uint64

// frameOverhead is what a link adds to a packet of MTU bytes: the Ethernet header.
const frameOverhead = 14

// defaultQueue is how long a packet may wait in a limited port's queue. Longer queues give a little more
// throughput and much more delay under load.
const defaultQueue = 50 * time.Millisecond

// Limit is the bandwidth one direction of a port may use. The zero value is no limit.
type Limit struct {
	Rate     BitRate       `json:"rate,omitempty"`  // on the wire, Ethernet header included; 0 is no limit
	Burst    ByteSize      `json:"burst,omitempty"` // sent at once after a pause; 0 is 10 ms of Rate, at least 10 frames
	MaxQueue time.Duration `json:"queue,omitempty"` // longest wait before a packet is dropped; 0 is 50 ms
}

// bucket is a Limit in the words of a token bucket filter (tc-tbf(8)).
type bucket struct {
	bytesPerSecond uint64
	burst          uint32 // bytes
	queue          uint32 // bytes that may wait, burst included
}

// bucketOf computes the filter for packets of mtu bytes.
func bucketOf(l Limit, mtu int) bucket {
	rate := uint64(l.Rate) / 8
	frame := uint64(mtu + frameOverhead)
	burst := uint64(l.Burst)
	if burst == 0 {
		burst = max(rate/100, 10*frame)
	}
	wait := l.MaxQueue
	if wait == 0 {
		wait = defaultQueue
	}
	waiting := uint64(float64(rate) * wait.Seconds())
	return bucket{bytesPerSecond: rate, burst: clamp32(max(burst, frame)), queue: clamp32(max(burst, frame) + max(waiting, frame))}
}

func clamp32(n uint64) uint32 { return uint32(min(n, 1<<32-1)) }
