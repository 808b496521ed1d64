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
// returns the bits per second that arrived since the first of them.
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
	start := time.Now()
	for arrived.Load() == 0 {
		if start = time.Now(); ctx.Err() != nil {
			return 0, errors.New("nothing arrived")
		}
		time.Sleep(time.Millisecond)
	}
	if err := sleep(ctx, length); err != nil {
		return 0, err
	}
	return float64(arrived.Load()) * 8 / time.Since(start).Seconds(), nil
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
