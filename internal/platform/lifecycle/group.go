package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// Component is one part of a process. Each function may be nil.
type Component struct {
	Name  string
	Start func(ctx context.Context) error // must return soon; the next component starts when it has
	Run   func(ctx context.Context) error // runs until ctx ends; an error before that stops the process
	Stop  func(ctx context.Context) error // finishes what is under way before ctx ends; called before Run's ctx ends
}

// Group starts components in order and stops them in reverse.
type Group struct {
	components []Component
	logger     *slog.Logger
	deadline   time.Duration
	open       atomic.Bool
}

// NewGroup makes a group that has deadline to stop.
func NewGroup(logger *slog.Logger, deadline time.Duration) *Group {
	return &Group{logger: logger, deadline: deadline}
}

// Add puts a component behind those already there.
func (g *Group) Add(c Component) { g.components = append(g.components, c) }

// Ready reports whether every component is started and none is being stopped.
func (g *Group) Ready() bool { return g.open.Load() }

type running struct {
	Component
	cancel context.CancelFunc
	done   chan struct{}
}

// Run starts everything, calls ready, and returns when ctx has ended or a component's Run has failed, and all components
// are stopped again. Components stop one after another, last first: Stop, then the end of Run's context, then waiting for
// Run. What is not done by the deadline is reported as an error and left behind.
func (g *Group) Run(ctx context.Context, ready func()) error {
	failed := make(chan error, len(g.components))
	var started []*running
	var errs []error
	for _, c := range g.components {
		r, err := g.start(ctx, c, failed)
		if err != nil {
			errs = append(errs, fmt.Errorf("start %s: %w", c.Name, err))
			break
		}
		started = append(started, r)
	}
	if len(errs) == 0 {
		g.open.Store(true)
		ready()
		select {
		case <-ctx.Done():
		case err := <-failed:
			errs = append(errs, err)
		}
	}
	g.open.Store(false)
	return errors.Join(append(errs, g.stop(ctx, started)...)...)
}

func (g *Group) start(ctx context.Context, c Component, failed chan<- error) (*running, error) {
	if c.Start != nil {
		if err := c.Start(ctx); err != nil {
			return nil, err
		}
	}
	r := &running{Component: c, done: make(chan struct{})}
	// What runs is stopped in its turn, not all at once when ctx ends.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	go func() {
		defer close(r.done)
		if c.Run == nil {
			return
		}
		err := c.Run(runCtx)
		switch {
		case runCtx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
		case err == nil:
			failed <- fmt.Errorf("%s ended by itself", c.Name)
		default:
			failed <- fmt.Errorf("%s: %w", c.Name, err)
		}
	}()
	return r, nil
}

func (g *Group) stop(ctx context.Context, started []*running) []error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.deadline)
	defer cancel()
	var errs []error
	for _, r := range slices.Backward(started) {
		if r.Stop != nil {
			if err := r.Stop(ctx); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", r.Name, err))
			}
		}
		r.cancel()
		select {
		case <-r.done:
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("stop %s: it did not end within %s", r.Name, g.deadline))
		}
	}
	return errs
}
