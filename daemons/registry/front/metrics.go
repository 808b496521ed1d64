package front

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/registry"
)

// Metrics are the registry's figures for Prometheus; see [NewMetrics].
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	runs     *prometheus.CounterVec
	records  *prometheus.CounterVec
	freed    prometheus.Counter
	last     prometheus.Gauge
}

// NewMetrics makes them: requests by kind, method and code, seconds by kind and method, bytes in and out, open
// uploads, and what the garbage collector did, beside those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "moset_registry_requests_total", Help: "Finished requests."}, []string{"kind", "method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "moset_registry_request_seconds", Help: "Duration of requests, transfer included.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 12)}, []string{"kind", "method"}),
		bytes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "moset_registry_bytes_total", Help: "Bytes of bodies, received or sent."}, []string{"direction"}),
		runs:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "moset_registry_gc_runs_total", Help: "Runs of the garbage collector by result: ok or failed."}, []string{"result"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "moset_registry_gc_records_total", Help: "Glance records that the garbage collector marked, rescued or deleted."}, []string{"step"}),
		freed:   prometheus.NewCounter(prometheus.CounterOpts{Name: "moset_registry_gc_bytes_total", Help: "Bytes of the records that the garbage collector deleted."}),
		last:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "moset_registry_gc_last_success_timestamp_seconds", Help: "When the garbage collector last ended well."}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.bytes, m.runs, m.records, m.freed, m.last,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe implements registry.Config.Observe.
func (m *Metrics) observe(o registry.Observation) {
	method := o.Method
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
	default:
		method = "other" // a stranger may send any
	}
	m.requests.WithLabelValues(o.Kind, method, strconv.Itoa(o.Status)).Inc()
	m.seconds.WithLabelValues(o.Kind, method).Observe(o.Took.Seconds())
	m.bytes.WithLabelValues("received").Add(float64(o.Received))
	m.bytes.WithLabelValues("sent").Add(float64(o.Sent))
}

// Collected notes a run of the garbage collector.
func (m *Metrics) Collected(r glance.Report, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	} else {
		m.last.SetToCurrentTime()
	}
	m.runs.WithLabelValues(result).Inc()
	m.records.WithLabelValues("mark").Add(float64(r.Marked))
	m.records.WithLabelValues("rescue").Add(float64(r.Rescued))
	m.records.WithLabelValues("delete").Add(float64(r.Deleted))
	m.freed.Add(float64(r.Bytes))
}

// serve adds /metrics to a registry.
func (m *Metrics) serve(h *registry.Handler) http.Handler {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "moset_registry_uploads", Help: "Uploads under way."},
		func() float64 { return float64(h.OpenUploads()) }))
	metrics := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // no mux, which would redirect odd names
		if r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			metrics.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
