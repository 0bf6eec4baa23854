package spreadsidecar

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff returns pauses between retries. Each pause is a uniform random duration from zero to a maximum that
// doubles, so that the clients of a restarted sidecar do not all retry at the same time.
type backoff struct {
	first, most time.Duration
	bound       time.Duration
}

func newBackoff() *backoff { return backoffBetween(100*time.Millisecond, 2*time.Second) }

func backoffBetween(first, most time.Duration) *backoff { return &backoff{first: first, most: most} }

func (b *backoff) next() time.Duration {
	if b.bound == 0 {
		b.bound = b.first
	}
	pause := rand.N(b.bound)
	b.bound = min(2*b.bound, b.most)
	return pause
}

func (b *backoff) reset() { b.bound = b.first }

// pause waits. It returns false if the context ends before.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
