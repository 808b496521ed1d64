package hostnettest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Goodput sends TCP from one namespace to an address and port of another for about the given time, and
// returns the bits per second that arrived. The first fifth, with the burst and slow start, is not counted.
func Goodput(ctx context.Context, fromNS, toNS, address string, length time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, length+10*time.Second)
	defer cancel()
	l, err := Listen(toNS, address)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	var arrived atomic.Int64
	go count(l, &arrived)
	conn, err := Dial(ctx, fromNS, "tcp4", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	go flood(conn)
	return rate(ctx, &arrived, length)
}

func rate(ctx context.Context, arrived *atomic.Int64, length time.Duration) (float64, error) {
	if err := sleep(ctx, length/5); err != nil {
		return 0, err
	}
	before, start := arrived.Load(), time.Now()
	if err := sleep(ctx, length-length/5); err != nil {
		return 0, err
	}
	bytes := arrived.Load() - before
	if bytes == 0 {
		return 0, errors.New("nothing arrived")
	}
	return float64(bytes) * 8 / time.Since(start).Seconds(), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// count reads one connection to its end.
func count(l net.Listener, arrived *atomic.Int64) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		arrived.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// flood writes until the connection closes.
func flood(w io.Writer) {
	buf := make([]byte, 64<<10)
	for {
		if _, err := w.Write(buf); err != nil {
			return
		}
	}
}
