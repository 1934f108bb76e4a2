package whatsapp

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// agenda holds what is to be done later, by whom is awake then: thousands of sessions that wait cost one timer together.
type agenda struct {
	mu    sync.Mutex
	tasks taskHeap
	poke  chan struct{} // the earliest task may have changed
}

type task struct {
	at time.Time
	do func(ctx context.Context)
}

func newAgenda() *agenda { return &agenda{poke: make(chan struct{}, 1)} }

// add plans a task.
func (a *agenda) add(at time.Time, do func(ctx context.Context)) {
	a.mu.Lock()
	heap.Push(&a.tasks, task{at, do})
	a.mu.Unlock()
	select {
	case a.poke <- struct{}{}:
	default:
	}
}

// takeDue removes what is due and returns it, with the instant of the next task; ok is false when there is none.
func (a *agenda) takeDue(now time.Time) (due []task, next time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.tasks) > 0 && !a.tasks[0].at.After(now) {
		due = append(due, heap.Pop(&a.tasks).(task))
	}
	if len(a.tasks) == 0 {
		return due, time.Time{}, false
	}
	return due, a.tasks[0].at, true
}

type taskHeap []task

func (h taskHeap) Len() int           { return len(h) }
func (h taskHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h taskHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(x any)        { *h = append(*h, x.(task)) }
func (h *taskHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*h = old[:len(old)-1]
	return last
}
