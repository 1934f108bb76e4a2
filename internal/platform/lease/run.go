package lease

import (
	"context"
	"sync"
	"time"
)

// Run renews what is held every Every (sooner after a failure) and ends terms at their deadline, until ctx ends; it then
// ends the terms that are left, without unlocking: who wants others to take over at once calls Release before, and whoever
// starts next finds the locks free at once. It returns nil.
func (h *Holder) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	watching.Go(func() { h.watch(ctx) })
	defer h.stop(ctx)
	defer watching.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	wasSilent := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		began := time.Now()
		err := h.Renew(ctx)
		if ctx.Err() != nil {
			return nil
		}
		pause := h.o.Every
		if err != nil {
			pause /= 3
		}
		switch {
		case err != nil && !wasSilent:
			h.o.Logger.WarnContext(ctx, "locks not renewed", "error", err.Error())
		case err == nil && wasSilent:
			h.o.Logger.InfoContext(ctx, "locks renewed again")
		}
		wasSilent = err != nil
		timer.Reset(max(0, pause-time.Since(began)))
	}
}

// watch ends terms at their deadline, whatever a renewal that hangs is doing.
func (h *Holder) watch(ctx context.Context) {
	timer := time.NewTicker(min(watchEvery, h.o.Every))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			h.expire()
		}
	}
}

// stop ends what is left. Who leaves in order says so; of others the silence is to be noticed.
func (h *Holder) stop(ctx context.Context) {
	h.mu.Lock()
	var left []*Term
	for key, t := range h.terms {
		delete(h.terms, key)
		left = append(left, t)
	}
	leaves := len(left) == 0 && len(h.doubt) == 0
	h.mu.Unlock()
	end(left, ErrStopped)
	if !leaves {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.limit())
	defer cancel()
	if err := h.locks.Leave(ctx, h.self); err != nil {
		h.o.Logger.WarnContext(ctx, "locks not left in order; they may be free a little later", "error", err.Error())
	}
}
