package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const registryConfig = `version: 0.1
log: {level: error}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: %q}
http: {addr: %q}
`

// startRegistry runs Debian's docker-registry on a free port, with its files beside ours and no login.
func (l *lab) startRegistry(ctx context.Context) (source, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return source{}, err
	}
	config := filepath.Join(l.dir, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(l.dir, "registry"), addr)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return source{}, err
	}
	cmd := exec.Command("docker-registry", "serve", config)     //nolint:noctx // the lab ends it, after its last use
	log, err := os.Create(filepath.Join(l.dir, "registry.log")) // it reports every layer that a push asks for first
	if err != nil {
		return source{}, err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return source{}, fmt.Errorf("docker-registry does not start: install it with scripts/bench: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	l.onClose(func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		return nil
	})
	return source{what: "docker-registry", host: addr}, awaitRegistry(ctx, addr)
}

// freeAddress is one of loopback that nobody listens on just now.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func awaitRegistry(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v2/", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return errors.Join(resp.Body.Close(), statusError(resp))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("docker-registry does not answer at %s: %w", addr, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func statusError(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("docker-registry answers %s", resp.Status)
	}
	return nil
}
