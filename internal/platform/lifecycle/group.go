package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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
	ending     <-chan struct{} // closed when the order to stop comes; set before open
}

// NewGroup makes a group that has deadline to stop.
func NewGroup(logger *slog.Logger, deadline time.Duration) *Group {
	return &Group{logger: logger, deadline: deadline}
}

// Add puts a component behind those already there.
func (g *Group) Add(c Component) { g.components = append(g.components, c) }

// Ready reports whether every component is started and nothing has called for a stop. It is false from the very moment at
// which Run's context ends, before anything else happens.
func (g *Group) Ready() bool {
	if !g.open.Load() {
		return false
	}
	select {
	case <-g.ending:
		return false
	default:
		return true
	}
}

type running struct {
	Component
	cancel context.CancelFunc
	done   chan struct{}
}

// Run starts everything, calls ready, and returns when ctx has ended or a component's Run has failed, and all components
// are stopped again. Components stop one after another, last first: Stop, then the end of Run's context, then waiting for
// Run. Each may use half of the time that is left, the last all of it; what is not done by then is reported as an error and
// left behind. A panic in a component is its error.
func (g *Group) Run(ctx context.Context, ready func()) error {
	failed := make(chan error, len(g.components))
	g.ending = ctx.Done()
	var started []*running
	var errs []error
	for _, c := range g.components {
		if ctx.Err() != nil {
			return errors.Join(g.stop(ctx, started)...)
		}
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
	if err := guarded(ctx, c.Start); err != nil {
		return nil, err
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
		err := guarded(runCtx, c.Run)
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
	end := time.Now().Add(g.deadline)
	var errs []error
	for i, r := range slices.Backward(started) {
		share := time.Until(end)
		if i > 0 {
			share /= 2
		}
		if err := r.end(ctx, share); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", r.Name, err))
			g.logger.ErrorContext(ctx, "component not stopped in order", "component", r.Name, "error", err.Error())
		}
	}
	return errs
}

// end stops one component within the time.
func (r *running) end(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	defer r.cancel()
	late := fmt.Errorf("it did not end within %s", within)
	stopped := make(chan error, 1)
	go func() { stopped <- guarded(ctx, r.Stop) }()
	var err error
	select {
	case err = <-stopped:
	case <-ctx.Done():
		return late
	}
	r.cancel()
	select {
	case <-r.done:
		return err
	case <-ctx.Done():
		return errors.Join(err, late)
	}
}

// guarded calls fn, which may be nil; a panic is an error.
func guarded(ctx context.Context, fn func(context.Context) error) (err error) {
	if fn == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(ctx)
}
