package app

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/lifecycle"
	"turnero/internal/platform/phone"
	"turnero/internal/whatsapp"
	whatsappapi "turnero/internal/whatsapp/httpapi"
	"turnero/internal/whatsapp/leased"
	whatsappstore "turnero/internal/whatsapp/sqlstore"
	"turnero/internal/whatsapp/wameow"
)

func buildWhatsApp(c *core) error {
	if err := c.openDevices(context.Background()); err != nil {
		return err
	}
	logger := c.logger.With("module", "whatsapp")
	engine, err := wameow.New(wameow.Options{Devices: devices{c.devices}, HTTPClient: c.network.client, RootKey: c.network.rootKey, Logger: logger, Now: c.now})
	if err != nil {
		return err
	}
	store := whatsappstore.New(c.db, c.events).Together(c.devices.Committer())
	processes := leased.New(leased.Options{Holder: c.locks, Self: c.self, Bus: c.bus, Client: c.peers, Hold: store, TTL: c.lockTTL(), Logger: logger})
	c.whatsapp = whatsapp.New(whatsapp.Deps{Store: store, Engine: engine, Claims: processes, Peers: processes, Users: staff{c},
		ParsePhone: c.parsePhone, FoldPhone: phone.Fold, Now: c.now, Logger: logger, Observer: c.observeLines()})
	leased.Serve(c.questions, c.whatsapp.HandleErrand)
	c.group.Add(lifecycle.Component{Name: "whatsapp claims", Run: func(ctx context.Context) error { return processes.Run(ctx, c.whatsapp.Manager().Wake) }})
	c.consume("whatsapp", c.whatsapp.HandleEvent, &events.TenantStatusChanged{})
	register(c.jobs, &events.SendMessage{}, c.whatsapp.HandleSend)
	register(c.jobs, &events.WithdrawMessage{}, c.whatsapp.HandleWithdraw)
	register(c.jobs, &events.HandOffChat{}, c.whatsapp.HandleHandOff)
	return nil
}

func whatsappRoutes(c *core, api *httpkit.API) { whatsappapi.Register(api, c.whatsapp) }

// register has the handler run jobs of the sort of job.
func register[J any, P interface {
	*J
	events.Job
}](q *jobs.Queue, job P, handle func(ctx context.Context, job P) error) {
	q.Register(job.JobKind(), func() events.Job { return P(new(J)) }, func(ctx context.Context, j events.Job, _ jobs.Run) error {
		return handle(ctx, j.(P))
	})
}

// parsePhone reads a phone number as people of the tenant write it, as digits without sign; ok is false when it is none.
func (c *core) parsePhone(ctx context.Context, tenant id.Tenant, text string) (digits string, ok bool, err error) {
	settings, err := c.tenantBook().Settings(ctx, tenant)
	if err != nil {
		return "", false, err
	}
	e164, err := phone.Parse(text, settings.Country)
	return strings.TrimPrefix(e164, "+"), err == nil, nil
}

// staff tells whatsapp who works for a tenant.
type staff struct{ c *core }

// Exists implements whatsapp.Users.
func (s staff) Exists(ctx context.Context, tenant id.Tenant, user id.User) (bool, error) {
	return s.c.userExists(ctx, tenant, user)
}

// observeLines counts what the lines do.
func (c *core) observeLines() whatsapp.Observer {
	down := prometheus.NewGauge(prometheus.GaugeOpts{Name: "turnero_whatsapp_lines_down", Help: "Linked lines of the installation that have been down for more than a minute."})
	received := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turnero_whatsapp_received_total", Help: "Incoming messages stored, by kind of chat."}, []string{"chat"})
	sent := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "turnero_whatsapp_send_seconds", Help: "Time from queued to acknowledged by WhatsApp.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 5, 30, 300}})
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turnero_whatsapp_failed_total", Help: "Outgoing messages that failed, by reason."}, []string{"reason"})
	terms := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turnero_whatsapp_terms_ended_total", Help: "Terms of ownership that ended unasked, by reason."}, []string{"reason"})
	c.metrics.MustRegister(lineCollector{c}, down, received, sent, failed, terms)
	return whatsapp.Observer{
		LinesDown: func(n int) { down.Set(float64(n)) },
		Received:  func(kind whatsapp.ChatKind) { received.WithLabelValues(string(kind)).Inc() },
		Sent:      func(queued time.Duration) { sent.Observe(queued.Seconds()) },
		Failed:    func(reason string) { failed.WithLabelValues(reason).Inc() },
		TermEnded: func(reason string) { terms.WithLabelValues(reason).Inc() },
	}
}

// lineCollector tells how many sessions the process carries at the moment of asking.
type lineCollector struct{ c *core }

var linesDesc = prometheus.NewDesc("turnero_whatsapp_sessions", "Sessions that this process carries, by status.", []string{"status"}, nil)

// Describe implements prometheus.Collector.
func (lineCollector) Describe(ch chan<- *prometheus.Desc) { ch <- linesDesc }

// Collect implements prometheus.Collector.
func (l lineCollector) Collect(ch chan<- prometheus.Metric) {
	for status, n := range l.c.whatsapp.Manager().Count() {
		ch <- prometheus.MustNewConstMetric(linesDesc, prometheus.GaugeValue, float64(n), string(status))
	}
}
