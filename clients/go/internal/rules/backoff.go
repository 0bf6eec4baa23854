package rules

import "time"

const (
	firstPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second
	mostReady  = 500 * time.Millisecond
)

// Backoff returns pauses between retries. They are random, so that the clients of a restarted sidecar do not all
// retry at the same time.
type Backoff struct {
	draw func() float64
	most time.Duration
	max  time.Duration
}

// NewBackoff returns the pauses of streams and acknowledgements (B1). draw returns a random number from 0 to 1.
func NewBackoff(draw func() float64) Backoff {
	return Backoff{draw: draw, most: mostPause, max: firstPause}
}

// NewReadyBackoff returns the pauses of WaitForReady (B3).
func NewReadyBackoff(draw func() float64) Backoff {
	return Backoff{draw: draw, most: mostReady, max: firstPause}
}

// Next returns the next pause, and doubles the maximum (B1).
func (b *Backoff) Next() time.Duration {
	pause := time.Duration(b.draw() * float64(b.max))
	b.max = min(2*b.max, b.most)
	return pause
}

// Reset makes the next pause a first pause, after a success (B2).
func (b *Backoff) Reset() { b.max = firstPause }
