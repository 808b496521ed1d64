// Package side runs the registries that images are measured on: Debian's docker-registry, and moset's on some Glance.
package side

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

// Registry is a registry that serves on loopback.
type Registry struct {
	Host  string       // host:port
	Close func() error // ends it
}

// DockerRegistry runs Debian's docker-registry on a free port, with its files and its log in dir, the cache of blob
// descriptors that Debian's configuration has, and no login.
func DockerRegistry(ctx context.Context, dir string) (Registry, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return Registry{}, err
	}
	config := filepath.Join(dir, "registry.yml")
	text := fmt.Sprintf(registryConfig, filepath.Join(dir, "registry"), addr)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return Registry{}, err
	}
	cmd := exec.Command("docker-registry", "serve", config)   //nolint:noctx // Close ends it, after its last use
	log, err := os.Create(filepath.Join(dir, "registry.log")) // it reports every layer that a push asks for first
	if err != nil {
		return Registry{}, err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return Registry{}, fmt.Errorf("docker-registry does not start: install Debian's package docker-registry: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop := func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		return nil
	}
	if err := awaitRegistry(ctx, addr); err != nil {
		return Registry{}, errors.Join(err, stop())
	}
	return Registry{Host: addr, Close: stop}, nil
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
