package spreadsidecar

import (
	"context"
	"time"
)

// clockStart is the origin of times. Differences of times since clockStart use the monotonic clock, so that
// changes of the system time have no effect.
var clockStart = time.Now()

// now is the time for the rules.
func now() time.Duration { return time.Since(clockStart) }

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
