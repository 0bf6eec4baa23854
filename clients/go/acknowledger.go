package spreadsidecar

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
)

// acknowledger acknowledges events in the background, as the rules of acknowledgement decide.
type acknowledger struct {
	ctx   context.Context
	tasks *tasks
	// send acknowledges all events up to a sequence.
	send func(ctx context.Context, upTo uint64) error
	// onRefused gets the error that ends receiving.
	onRefused func(err *SpreadError)

	mu   sync.Mutex
	rule *rules.Acknowledgement
}

func newAcknowledger(ctx context.Context, tasks *tasks, tokenMayChange bool) *acknowledger {
	return &acknowledger{ctx: ctx, tasks: tasks, rule: rules.NewAcknowledgement(tokenMayChange, rand.Float64)}
}

// request acknowledges every event up to and including this one.
func (a *acknowledger) request(upTo uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if first, ok := a.rule.Request(upTo); ok {
		a.tasks.begin(func() { a.run(first) })
	}
}

// close makes no further calls.
func (a *acknowledger) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rule.Stop()
}

// run makes calls while events wait for them.
func (a *acknowledger) run(upTo uint64) {
	for more := true; more; {
		err := a.send(a.ctx, upTo)
		if err == nil {
			upTo, more = a.next(a.rule.Succeeded)
			continue
		}
		if a.ctx.Err() != nil {
			a.close()
			return
		}
		failure := toSpreadError(err)
		a.mu.Lock()
		after, length := a.rule.Failed(toFailure(failure))
		a.mu.Unlock()
		switch after {
		case rules.StopSilently:
			return
		case rules.StopWithError:
			a.onRefused(failure)
			return
		}
		if !pause(a.ctx, length) {
			a.close()
			return
		}
		upTo, more = a.next(a.rule.PauseEnded)
	}
}

func (a *acknowledger) next(step func() (uint64, bool)) (uint64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return step()
}
