// Package garbage runs the collector of image/glance: once for "moset-registry gc", or again and again beside a
// registry that serves.
package garbage

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/image/glance"
)

// Flags say what is garbage.
type Flags struct {
	Grace    time.Duration
	Untagged bool
	Every    time.Duration // of Loop; 0 is never
}

// Add defines the flags, each with the prefix, and -every for a registry that serves.
func (f *Flags) Add(set *flag.FlagSet, prefix string) {
	set.DurationVar(&f.Grace, prefix+"grace", glance.DefaultGrace, "longest time of a push; what nothing has needed for so long is marked, and after as long again deleted")
	set.BoolVar(&f.Untagged, prefix+"untagged", false, "delete manifests without a tag too (servers made of such an image cannot be rebuilt then)")
	if prefix != "" {
		set.DurationVar(&f.Every, prefix+"every", 0, "how often to delete what no image needs (default: never; moset-registry gc does it once)")
	}
}

// Collector makes the collector of all projects, as the daemon's own user, who must be an administrator.
func (f Flags) Collector(at daemon.OpenStack, cfg glance.CollectorConfig, log *slog.Logger) (*glance.Collector, error) {
	id := at.Session.Identity()
	cfg.Grace, cfg.Untagged, cfg.AllProjects = f.Grace, f.Untagged, true
	return glance.NewCollector(glance.Config{Endpoint: at.Glance, Provider: at.Session.Provider(), ProjectID: id.ProjectID, Project: id.ProjectName, Log: log}, cfg)
}

// Loop collects until ctx ends; each run is told to done.
func (f Flags) Loop(ctx context.Context, c *glance.Collector, log *slog.Logger, done func(glance.Report, error)) {
	if f.Every <= 0 {
		return
	}
	for tick := time.NewTicker(f.Every); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		report, err := c.Run(ctx)
		if ctx.Err() != nil {
			continue
		}
		done(report, err)
		if err != nil {
			log.Error("garbage collection failed, will try again", "error", err)
			continue
		}
		log.Info("garbage collected", "records", report.Records, "marked", report.Marked, "rescued", report.Rescued,
			"deleted", report.Deleted, "bytes", report.Bytes, "failures", report.Failures)
	}
}

// Command is "moset-registry gc": one run, told to out.
func Command(ctx context.Context, args []string, out io.Writer) error {
	set := flag.NewFlagSet("gc", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main tells the error
	var f Flags
	f.Add(set, "")
	dry := set.Bool("dry-run", false, "only say what would be marked and deleted")
	asJSON := set.Bool("json", false, "one JSON object for each record, then the report")
	cloud := set.String("os-cloud", "", "cloud of clouds.yaml")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		set.SetOutput(out)
		set.Usage()
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w; moset-registry gc -h lists the flags", daemon.ErrUsage, err)
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%w: moset-registry gc takes flags only, not %q", daemon.ErrUsage, set.Arg(0))
	}
	at, err := daemon.ConnectOpenStack(ctx, *cloud)
	if err != nil {
		return err
	}
	p := printer{out: out, json: *asJSON, dry: *dry}
	c, err := f.Collector(at, glance.CollectorConfig{DryRun: *dry, Found: p.found}, nil)
	if err != nil {
		return err
	}
	report, err := c.Run(ctx)
	p.report(report, f.Grace)
	return err
}

// printer writes lines for people, or JSON.
type printer struct {
	out       io.Writer
	json, dry bool
}

func (p printer) found(g glance.Garbage) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(g)
		return
	}
	fmt.Fprintf(p.out, "%-6s  %s  %-8s  %12d  %s  project %s\n", g.Step, g.Record, g.Kind, g.Size, g.Name, g.Project)
}

func (p printer) report(r glance.Report, grace time.Duration) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(r)
		return
	}
	would := ""
	if p.dry {
		would = "would be "
	}
	fmt.Fprintf(p.out, "%d records: %d %smarked (deleted after %v if nothing needs them), %d %sdeleted (%d bytes), %d needed again, %d left for the next run\n",
		r.Records, r.Marked, would, grace, r.Deleted, would, r.Bytes, r.Rescued, r.Failures)
}
