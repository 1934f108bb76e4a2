package wasim

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// loadRun is one script at work.
type loadRun struct {
	net    *Network
	load   Load
	from   []*account
	to     []*account
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	report   LoadReport
	lastSign time.Time // of life: a message written or acknowledged
	waiting  map[string]waitingMessage
	latency  histogram
	changed  chan struct{} // holds one signal when something was acknowledged
}

type waitingMessage struct {
	to *account
	at time.Time
}

// prepare checks a script and finds its phones.
func (r *loadRun) prepare() error {
	l := &r.load
	switch {
	case l.Rate <= 0 || l.Rate > maxLoadRate:
		return invalid("rate", fmt.Sprintf("must be more than 0 and at most %d messages a second", maxLoadRate))
	case l.Count < 0 || l.Count > maxLoadMessages || l.Duration < 0 || l.Duration > maxFaultDuration || l.Duration*l.Rate > maxLoadMessages && l.Count == 0:
		return invalid("count", fmt.Sprintf("a script has at most %d messages", maxLoadMessages))
	case l.Count == 0 && l.Duration == 0:
		return invalid("count", "a count or a duration is needed")
	case len(l.To) == 0:
		return invalid("to", "somebody must get the messages")
	case (len(l.From) == 0) == (l.First == ""):
		return invalid("from", "either from, or first and phones are needed")
	}
	if l.Text == "" {
		l.Text = "load {n}"
	}
	from := l.From
	if l.First != "" {
		first, err := parseNumber("first", l.First)
		if err != nil {
			return err
		}
		if l.Phones < 1 || l.Phones > maxLoadPhones {
			return invalid("phones", fmt.Sprintf("must be from 1 to %d", maxLoadPhones))
		}
		number, _ := strconv.ParseUint(first, 10, 64) // at most 15 digits
		for i := range l.Phones {
			from = append(from, strconv.FormatUint(number+uint64(i), 10))
		}
	}
	var err error
	if r.from, err = r.accounts("from", from); err == nil {
		r.to, err = r.accounts("to", l.To)
	}
	return err
}

func (r *loadRun) accounts(field string, numbers []string) ([]*account, error) {
	list := make([]*account, 0, len(numbers))
	for i, number := range numbers {
		a, err := r.net.phoneAt(fmt.Sprintf("%s[%d]", field, i), number)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// run writes the messages at their time and waits until they are acknowledged.
func (r *loadRun) run(ctx context.Context) {
	defer r.wg.Done()
	var workers sync.WaitGroup
	queues := make([]chan int, min(loadWorkers, len(r.from)))
	for i := range queues {
		queues[i] = make(chan int, loadBacklog)
		workers.Go(func() {
			for number := range queues[i] {
				r.write(ctx, number)
			}
		})
	}
	r.schedule(ctx, queues)
	for _, q := range queues {
		close(q)
	}
	workers.Wait()
	r.move(LoadDraining)
	r.drain(ctx)
}

// schedule hands out each message when it is due.
func (r *loadRun) schedule(ctx context.Context, queues []chan int) {
	begun := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for number := 0; r.load.Count == 0 || number < r.load.Count; number++ {
		due := begun.Add(time.Duration(float64(number) / r.load.Rate * float64(time.Second)))
		if r.load.Duration > 0 && due.Sub(begun) >= seconds(r.load.Duration) {
			return
		}
		if wait := time.Until(due); wait > time.Millisecond {
			pause.Reset(wait)
			select {
			case <-pause.C:
			case <-ctx.Done():
				return
			}
		}
		for r.isFull() {
			select {
			case <-r.changed:
			case <-ctx.Done():
				return
			}
		}
		select {
		case queues[number%len(r.from)%len(queues)] <- number:
		case <-ctx.Done():
			return
		}
		r.noteBehind(time.Since(due))
	}
}

// write writes one message. Numbers begin at 0.
func (r *loadRun) write(ctx context.Context, number int) {
	if ctx.Err() != nil {
		return
	}
	chat := number % len(r.from)
	from, to := r.from[chat], r.to[chat%len(r.to)]
	words := strings.NewReplacer("{n}", strconv.Itoa(number+1), "{i}", strconv.Itoa(number/len(r.from)+1)).Replace(r.load.Text)
	id := r.net.newID()
	r.mu.Lock()
	r.waiting[id] = waitingMessage{to, time.Now()}
	r.mu.Unlock()
	_, err := r.net.Write(ctx, from.number(), Draft{To: to.number(), Text: words, ID: id})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastSign = time.Now()
	if err != nil {
		delete(r.waiting, id)
		r.report.Failed++
		r.report.Error = err.Error()
		return
	}
	r.report.Sent++
}

func (r *loadRun) acknowledged(d *device, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.waiting[id]
	if !ok || w.to != d.account {
		return
	}
	delete(r.waiting, id)
	r.report.Acknowledged++
	r.lastSign = time.Now()
	r.latency.add(time.Since(w.at))
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// drain waits until everything is acknowledged, or nothing is any more.
func (r *loadRun) drain(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		r.mu.Lock()
		left, idle := len(r.waiting), time.Since(r.lastSign)
		r.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			r.move(LoadStopped)
			return
		case left == 0:
			r.move(LoadDone)
			return
		case idle > loadPatience:
			r.move(LoadOverdue)
			return
		}
		select {
		case <-r.changed:
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

func (r *loadRun) isFull() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) >= maxLoadWaiting
}

func (r *loadRun) noteBehind(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Behind = max(r.report.Behind, milliseconds(d))
}

func (r *loadRun) move(state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.State = state
	if r.isOverLocked() {
		r.report.Seconds = r.elapsed()
	}
}

func (r *loadRun) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isOverLocked()
}

func (r *loadRun) isOverLocked() bool {
	return r.report.State != LoadRunning && r.report.State != LoadDraining
}

// elapsed is how long the script has been at work, up to the last thing that happened in it. The caller holds r.mu.
func (r *loadRun) elapsed() float64 {
	if r.lastSign.IsZero() {
		return 0
	}
	return max(r.lastSign.Sub(r.report.StartedAt).Seconds(), 0)
}

func (r *loadRun) public() LoadReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.report
	report.Waiting = len(r.waiting)
	report.Latency = r.latency.quantiles()
	if !r.isOverLocked() {
		report.Seconds = r.elapsed()
	}
	return report
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
