package hostnettest
import "golang.org/x/sys/unix"
func (w *Wire) AwaitAll(f func([]byte, bool)) {
	buf := make([]byte, 1<<16)
	n, from, err := unix.Recvfrom(w.fd, buf, 0)
	if err != nil { return }
	ll := from.(*unix.SockaddrLinklayer)
	f(buf[:n], ll.Pkttype == unix.PACKET_OUTGOING)
}
