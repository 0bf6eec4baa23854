package spreadsidecar

import (
	"context"
	"sync/atomic"
	"time"
)

// keepAlive renews the lease of a mailbox whose application neither receives nor calls. The sidecar ends a
// mailbox that is unused for its lease. It calls after each third of the lease without other use.
type keepAlive struct {
	pause   time.Duration
	lastUse atomic.Int64
	cancel  context.CancelFunc
}

// clockStart is the origin of times. Differences of times since clockStart use the monotonic clock, so that
// changes of the system time have no effect.
var clockStart = time.Now()

func newKeepAlive(lease time.Duration) *keepAlive {
	return &keepAlive{pause: max(lease/3, 50*time.Millisecond), cancel: func() {}}
}

// begin starts the calls. held reports whether a stream keeps the lease now. ping is a call that uses the
// mailbox. Its failure is ignored: the next call of the application reports it.
func (k *keepAlive) begin(ctx context.Context, tasks *tasks, held func() bool, ping func(context.Context)) {
	ctx, k.cancel = context.WithCancel(ctx)
	k.used()
	tasks.begin(func() {
		ticker := time.NewTicker(k.pause / 2)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if held() || int64(time.Since(clockStart))-k.lastUse.Load() < int64(k.pause) {
				continue
			}
			ping(ctx)
			k.used()
		}
	})
}

// used records that a call used the mailbox.
func (k *keepAlive) used() {
	if k != nil {
		k.lastUse.Store(int64(time.Since(clockStart)))
	}
}

func (k *keepAlive) close() {
	if k != nil {
		k.cancel()
	}
}
