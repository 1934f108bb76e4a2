package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
)

const (
	statsLimit = 2 * time.Second // for reading the counts
	statsAge   = 5 * time.Second // how old the counts may be: they cost a scan, and several may ask
)

// WatchDB registers the gauges of the database's connection pools (go_sql_…, by db_name).
func (m *Metrics) WatchDB(db *sqlkit.DB) {
	for name, pool := range db.Pools() {
		m.MustRegister(collectors.NewDBStatsCollector(pool, name))
	}
}

// WatchWork registers how much work waits in the queue and how far the consumers of the event log are.
func (m *Metrics) WatchWork(log *outbox.Log, queue *jobs.Queue) {
	m.MustRegister(&work{log: log, queue: queue})
}

// work reads both states when the metrics are asked for. What cannot be read is left out, which an alert can notice.
type work struct {
	log   *outbox.Log
	queue *jobs.Queue

	mu   sync.Mutex
	read time.Time
	last []prometheus.Metric
}

var (
	jobsDesc      = prometheus.NewDesc("turnero_jobs", "Jobs by state: due, scheduled (for later), waiting (behind another of their order key), running, dead.", []string{"state"}, nil)
	oldestDesc    = prometheus.NewDesc("turnero_jobs_oldest_due_seconds", "For how long the oldest due job could have run.", nil, nil)
	headDesc      = prometheus.NewDesc("turnero_events_numbered_total", "Number of the last event of the log.", nil, nil)
	unnumberDesc  = prometheus.NewDesc("turnero_events_unnumbered", "Committed events that have no number yet.", nil, nil)
	consumerDesc  = prometheus.NewDesc("turnero_consumer_lag_events", "Events of the log that a consumer has not yet passed.", []string{"consumer"}, nil)
	parkedPerDesc = prometheus.NewDesc("turnero_consumer_parked_events", "Events that a consumer has given up.", []string{"consumer"}, nil)
)

// Describe implements prometheus.Collector.
func (w *work) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsDesc, oldestDesc, headDesc, unnumberDesc, consumerDesc, parkedPerDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (w *work) Collect(out chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.read) > statsAge {
		ctx, cancel := context.WithTimeout(context.Background(), statsLimit)
		defer cancel()
		w.last = append(w.jobs(ctx), w.events(ctx)...)
		w.read = time.Now()
	}
	for _, m := range w.last {
		out <- m
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (w *work) jobs(ctx context.Context) []prometheus.Metric {
	s, err := w.queue.Stats(ctx)
	if err != nil {
		return nil
	}
	out := []prometheus.Metric{gauge(oldestDesc, s.OldestDue.Seconds())}
	for state, n := range map[string]int64{"due": s.Due, "scheduled": s.Scheduled, "waiting": s.Waiting, "running": s.Running, "dead": s.Dead} {
		out = append(out, gauge(jobsDesc, float64(n), state))
	}
	return out
}

func (w *work) events(ctx context.Context) []prometheus.Metric {
	s, err := w.log.Stats(ctx)
	if err != nil {
		return nil
	}
	out := []prometheus.Metric{prometheus.MustNewConstMetric(headDesc, prometheus.CounterValue, float64(s.Head)), gauge(unnumberDesc, float64(s.Unnumbered))}
	for _, c := range s.Consumers {
		out = append(out, gauge(consumerDesc, float64(c.Lag), c.Name), gauge(parkedPerDesc, float64(c.Parked), c.Name))
	}
	return out
}
