package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set/setapi"
)

// Report tells the region about this host until ctx ends. A region that does not answer is tried again.
func (a *Agent) Report(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Report)
	defer tick.Stop()
	failing := false
	for {
		err := a.reportOnce(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			a.cfg.Logger.Warn("the region does not take this host's report, will go on trying", "region", a.cfg.RegionURL, "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *Agent) reportOnce(ctx context.Context) error {
	body, err := json.Marshal(a.describe(ctx))
	if err != nil {
		return err
	}
	target := strings.TrimRight(a.cfg.RegionURL, "/") + "/v1/hosts/" + url.PathEscape(a.cfg.Name)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("it answered: %w", setapi.ErrorOf(resp))
	}
	return nil
}

func (a *Agent) describe(ctx context.Context) controller.HostReport {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r := controller.HostReport{Name: a.cfg.Name, URL: a.cfg.URL, Labels: a.cfg.Labels, Rack: a.cfg.Rack, Zone: a.cfg.Zone, Capacity: a.cfg.Capacity, Ready: true}
	if err := a.Check(ctx); err != nil {
		r.Ready, r.Reason = false, err.Error()
	}
	if layers, err := a.puller.Layers(ctx); err == nil {
		r.Layers = fingerprint(layers)
	}
	return r
}

// fingerprint changes with the layers that the host holds.
func fingerprint(layers []string) string {
	slices.Sort(layers)
	sum := sha256.Sum256([]byte(strings.Join(layers, " ")))
	return hex.EncodeToString(sum[:8])
}
