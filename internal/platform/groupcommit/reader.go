package groupcommit

import (
	"context"
	"sync"
	"time"
)

// Reader answers the questions of many callers with few queries: those that come while one query runs are asked by the next. A lone
// question waits for nobody.
type Reader[Q, A any] struct {
	ask func(ctx context.Context, questions []Q) ([]A, error)

	mu        sync.Mutex
	queue     []*question[Q, A]
	isRunning bool
}

type question[Q, A any] struct {
	q      Q
	answer A
	err    error
	done   chan struct{} // closed with answer and err set
}

const (
	// mostQuestions bounds the questions of one query.
	mostQuestions = 500
	// askLimit bounds one query.
	askLimit = 10 * time.Second
)

// NewReader makes a reader. ask gives an answer for each question, in their order; its error is that of all.
func NewReader[Q, A any](ask func(ctx context.Context, questions []Q) ([]A, error)) *Reader[Q, A] {
	return &Reader[Q, A]{ask: ask}
}

// Ask gives the answer as it is after the call began.
func (r *Reader[Q, A]) Ask(ctx context.Context, q Q) (A, error) {
	mine := &question[Q, A]{q: q, done: make(chan struct{})}
	r.mu.Lock()
	r.queue = append(r.queue, mine)
	if !r.isRunning {
		r.isRunning = true
		go r.run() // ends by itself, with the last question that somebody waits for
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.answer, mine.err
	case <-ctx.Done():
		var none A
		return none, ctx.Err()
	}
}

func (r *Reader[Q, A]) run() {
	for {
		r.mu.Lock()
		group := r.queue
		if len(group) > mostQuestions {
			group = group[:mostQuestions:mostQuestions]
		}
		r.queue = r.queue[len(group):]
		if len(r.queue) == 0 {
			r.queue = nil
		}
		r.isRunning = len(group) > 0
		r.mu.Unlock()
		if len(group) == 0 {
			return
		}
		r.answer(group)
	}
}

func (r *Reader[Q, A]) answer(group []*question[Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	questions := make([]Q, len(group))
	for i, one := range group {
		questions[i] = one.q
	}
	answers, err := r.ask(ctx, questions)
	for i, one := range group {
		if one.err = err; err == nil {
			one.answer = answers[i]
		}
		close(one.done)
	}
}
