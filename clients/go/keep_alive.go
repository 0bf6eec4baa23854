package spreadsidecar

import (
	"context"
	"sync/atomic"
	"time"
)

// keepAlive keeps a mailbox whose application neither receives nor calls: the sidecar ends one that nobody has used for
// its lease. It asks in thirds of the lease, and only when nothing else did.
type keepAlive struct {
	pause   time.Duration
	lastUse atomic.Int64
	cancel  context.CancelFunc
}

// clockStart is what times are counted from: a difference of two times of this process follows the monotonic clock, which
// no change of the machine's time reaches.
var clockStart = time.Now()

func newKeepAlive(lease time.Duration) *keepAlive {
	return &keepAlive{pause: max(lease/3, 50*time.Millisecond), cancel: func() {}}
}

// begin begins. held tells whether something else keeps the lease right now; ping is any call that uses the mailbox, and
// its failure is no news: the next real call tells it.
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

// used says that the mailbox was just used by a call.
func (k *keepAlive) used() {
	if k != nil {
		k.lastUse.Store(int64(time.Since(clockStart)))
	}
}

// close stops.
func (k *keepAlive) close() {
	if k != nil {
		k.cancel()
	}
}
