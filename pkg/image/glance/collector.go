package glance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// DefaultGrace is how long a push may take from its first look at a blob to its manifest.
const DefaultGrace = 2 * time.Hour

// staleUpload is how old a record without its bytes must be, in graces, to be taken for a broken upload.
const staleUpload = 12

// CollectorConfig says what is garbage.
type CollectorConfig struct {
	Grace       time.Duration    // how long an unneeded record is left alone, then marked, before it goes; 0 is DefaultGrace
	AllProjects bool             // of an administrator; else only the records of the token's project
	Untagged    bool             // also manifests that no tag, no index and no subject leads to; else they are kept
	DryRun      bool             // only says what it would do
	Now         func() time.Time // nil: Glance's clock
	Found       func(Garbage)    // is told of every record that a run marks or deletes; may be nil
}

// Garbage is a record that nothing needs.
type Garbage struct {
	Record  string `json:"record"`  // Glance id
	Project string `json:"project"` // id of its owner
	Kind    string `json:"kind"`    // layer, config, manifest, blob, alias, link or upload
	Name    string `json:"name"`    // mostly its digest
	Size    int64  `json:"size"`    // bytes
	Step    string `json:"step"`    // "mark" or "delete"
}

// Report is what a run did, or with DryRun what it would have done.
type Report struct {
	Records  int   `json:"records"`  // looked at
	Marked   int   `json:"marked"`   // found without use for a whole grace; they go after another one
	Rescued  int   `json:"rescued"`  // marks taken back, because something needs the record again
	Deleted  int   `json:"deleted"`  // records
	Bytes    int64 `json:"bytes"`    // of the deleted
	Failures int   `json:"failures"` // records that could not be changed; the next run tries again
}

// Collector deletes the records that no image needs, while pushes go on. It keeps nothing between runs: it may be
// stopped at any time, and several may run at once.
//
// A record that nothing has needed for a grace is marked; marked for another grace, it is deleted. A push that wants
// it meanwhile takes the mark away, so a push that takes less than a grace never misses what it was told is there.
// The clock is Glance's where it tells the time, so that of this machine does not matter.
type Collector struct {
	cfg   CollectorConfig
	store *Store
	log   *slog.Logger
}

// NewCollector makes a Collector that works with c's token. Errors: ErrInvalid.
func NewCollector(c Config, cfg CollectorConfig) (*Collector, error) {
	if cfg.Grace < 0 {
		return nil, &image.Error{Op: "collect garbage", Err: fmt.Errorf("%w: a grace of %v", image.ErrInvalid, cfg.Grace)}
	}
	s, err := New(c)
	if err != nil {
		return nil, err
	}
	cfg.Grace = cmp.Or(cfg.Grace, DefaultGrace)
	return &Collector{cfg: cfg, store: s, log: s.log}, nil
}

// Run looks at all records once. What it has done before an error is in the report. Errors: ErrUnauthorized,
// ErrUnavailable.
func (c *Collector) Run(ctx context.Context) (Report, error) {
	now := time.Now
	if c.cfg.Now != nil {
		now = c.cfg.Now
	}
	r := &run{Collector: c, inventory: newInventory(c.cfg.Untagged, now())}
	err := r.run(ctx)
	return r.report, err
}

// run is the work of one Run.
type run struct {
	*Collector
	*inventory
	report Report
}

func (r *run) run(ctx context.Context) error {
	if err := r.survey(ctx, time.Time{}); err != nil {
		return err
	}
	r.report.Records = len(r.records)
	r.decide()
	limit := r.now.Add(-r.cfg.Grace)
	var doomed []*item
	err := r.each(ctx, r.unneeded(), func(ctx context.Context, i *item) error {
		switch {
		case i.updated.After(limit.Add(-i.patience(r.cfg.Grace))):
			return nil
		case i.kind == kindGarbage: // of a run that broke off
		case !i.marked && i.kind != kindUpload:
			return r.mark(ctx, i)
		default:
			if err := r.condemn(ctx, i); err != nil {
				return err
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		doomed = append(doomed, i)
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.rescueAll(ctx); err != nil {
		return err
	}
	return r.finish(ctx, doomed)
}

// patience is how much longer than a grace a record is left alone.
func (i *item) patience(grace time.Duration) time.Duration {
	if i.kind == kindUpload {
		return (staleUpload - 1) * grace
	}
	return 0
}

func (r *run) mark(ctx context.Context, i *item) error {
	r.tell(i, "mark")
	if !r.cfg.DryRun {
		_, err := r.store.update(ctx, i.id, change{protected: new(bool), patch: patch{}.set(propMarked, r.now.UTC().Format(time.RFC3339))})
		if err != nil {
			return wrap("mark record", i.id, err)
		}
	}
	r.count(func(p *Report) { p.Marked++ })
	return nil
}

func (r *run) condemn(ctx context.Context, i *item) error {
	if r.cfg.DryRun {
		return nil
	}
	return r.store.condemn(ctx, record{id: i.id, props: map[string]string{propKind: i.kind, propMarked: i.mark()}})
}

// rescueAll takes back marks on what is needed, which are of an earlier run.
func (r *run) rescueAll(ctx context.Context) error {
	return r.each(ctx, r.needed(), func(ctx context.Context, i *item) error {
		if r.cfg.DryRun {
			return nil
		}
		yes := true
		c := change{protected: &yes, patch: patch{}.remove(propMarked)}
		if i.kind == kindGarbage {
			c.patch = patch{}.remove(propWas).set(propKind, i.was)
		}
		_, err := r.store.update(ctx, i.id, c)
		if err != nil && !conflict(err) {
			return wrap("rescue record", i.id, err)
		}
		r.count(func(p *Report) { p.Rescued++ })
		return nil
	})
}

// finish deletes what is condemned, but for what the manifests and tags of the last moments name.
func (r *run) finish(ctx context.Context, doomed []*item) error {
	if len(doomed) == 0 {
		return nil
	}
	if !r.cfg.DryRun {
		if err := sleep(ctx, settle); err != nil {
			return err
		}
		if err := r.survey(ctx, r.now); err != nil {
			return err
		}
		r.decide()
	}
	return r.each(ctx, doomed, func(ctx context.Context, i *item) error {
		if i.needed {
			r.count(func(p *Report) { p.Rescued++ })
			return r.store.restore(ctx, i.id, i.formerKind())
		}
		if !r.cfg.DryRun {
			if err := r.store.destroy(ctx, i.id); err != nil {
				return err
			}
		}
		r.tell(i, "delete")
		r.count(func(p *Report) { p.Deleted++; p.Bytes += i.size })
		return nil
	})
}

// each works on several records at once. One that fails is left to the next run; when the caller's right or Glance
// itself is the trouble, it ends.
func (r *run) each(ctx context.Context, items []*item, f func(context.Context, *item) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, i := range items {
		g.Go(func() error {
			err := f(ctx, i)
			switch {
			case err == nil, errors.Is(err, errRescued), errors.Is(err, image.ErrNotFound):
				return nil
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, image.ErrUnauthorized), errors.Is(err, image.ErrUnavailable):
				return err
			}
			r.log.WarnContext(ctx, "a record stays in Glance", "record", i.id, "error", err)
			r.count(func(p *Report) { p.Failures++ })
			return nil
		})
	}
	return g.Wait()
}

func (r *run) count(f func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.report)
}

func (r *run) tell(i *item, step string) {
	if r.cfg.Found == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cfg.Found(Garbage{Record: i.id, Project: i.owner, Kind: i.formerKind(), Name: i.name, Size: i.size, Step: step})
}
