// Command helper is the only program of the images these tests run. Its arguments are done one after the other.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for args := os.Args[1:]; len(args) > 0; {
		n, err := do(args)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		}
		args = args[n:]
	}
}

// do does the first of args and says how many arguments that took.
func do(args []string) (int, error) {
	switch args[0] {
	case "write": // FILE TEXT
		return 3, os.WriteFile(args[1], []byte(args[2]), 0o644)
	case "report": // FILE: what this container sees of itself
		return 2, os.WriteFile(args[1], []byte(report()), 0o644)
	case "copy": // FROM TO
		b, err := os.ReadFile(args[1])
		if err != nil {
			return 0, err
		}
		return 3, os.WriteFile(args[2], b, 0o644)
	case "exit": // CODE
		code, err := strconv.Atoi(args[1])
		if err != nil {
			return 0, err
		}
		os.Exit(code)
	case "eat": // MIB
		return 2, eat(args[1])
	case "ignore": // TERM, for ever
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "serve": // until TERM
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		<-c
		os.Exit(0)
	}
	return 0, fmt.Errorf("unknown word %q", args[0])
}

func report() string {
	var b strings.Builder
	host, _ := os.Hostname()
	fmt.Fprintf(&b, "hostname=%s\nuid=%d\n", host, os.Getuid())
	for _, ns := range []string{"net", "ipc", "pid", "mnt"} {
		link, _ := os.Readlink("/proc/self/ns/" + ns)
		fmt.Fprintf(&b, "%s=%s\n", ns, link)
	}
	for _, file := range []string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc/self/status"} {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(&b, "--- %s\n%s", file, text)
	}
	return b.String()
}

func eat(mib string) error {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	b := make([]byte, n<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	fmt.Println(b[len(b)-4096])
	return nil
}
