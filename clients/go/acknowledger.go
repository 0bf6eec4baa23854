package spreadsidecar

import (
	"context"
	"sync"
)

// acknowledger acknowledges events in the background. At most one call is active. Requests during a call are
// combined into the next call.
type acknowledger struct {
	ctx   context.Context
	tasks *tasks
	// send acknowledges all events up to a sequence.
	send func(ctx context.Context, upTo uint64) error
	// mayPass reports whether to retry after this error.
	mayPass func(err *SpreadError) bool
	// onRefused gets the error of a call that is not retried.
	onRefused func(err *SpreadError)

	mu           sync.Mutex
	wanted, done uint64
	busy, closed bool
}

// request acknowledges every event up to and including this one.
func (a *acknowledger) request(upTo uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted = max(a.wanted, upTo)
	if a.busy || a.closed || a.wanted <= a.done {
		return
	}
	a.busy = true
	a.tasks.begin(a.run)
}

// close makes no further calls.
func (a *acknowledger) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
}

// next returns the sequence to acknowledge. False if there is none; the goroutine then ends.
func (a *acknowledger) next() (uint64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = !a.closed && a.wanted > a.done
	return a.wanted, a.busy
}

func (a *acknowledger) run() {
	backoff := newBackoff()
	for {
		upTo, more := a.next()
		if !more {
			return
		}
		err := a.send(a.ctx, upTo)
		if err == nil {
			a.mu.Lock()
			a.done = upTo
			a.mu.Unlock()
			backoff.reset()
			continue
		}
		if failure := toSpreadError(err); a.ctx.Err() == nil && !failure.Retryable && failure.Reason != "" && !a.mayPass(failure) {
			a.close()
			a.onRefused(failure)
		} else if !pause(a.ctx, backoff.next()) {
			a.close()
		}
	}
}
