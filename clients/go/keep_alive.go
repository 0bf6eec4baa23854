package spreadsidecar

import (
	"context"
	"time"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
)

// keepAlive renews the lease of a mailbox whose application neither receives nor calls. The sidecar ends a
// mailbox that is unused for its lease.
type keepAlive struct {
	lease  *rules.Lease
	cancel context.CancelFunc
}

func newKeepAlive(lease time.Duration) *keepAlive {
	return &keepAlive{lease: rules.NewLease(lease, now()), cancel: func() {}}
}

// begin starts the calls. held reports whether a stream keeps the lease now. renew is a call that uses the
// mailbox. Its failure is ignored (K3): the next call of the application reports it.
func (k *keepAlive) begin(ctx context.Context, tasks *tasks, held func() bool, renew func(context.Context)) {
	ctx, k.cancel = context.WithCancel(ctx)
	tasks.begin(func() {
		ticker := time.NewTicker(k.lease.CheckEvery())
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if k.lease.Renews(now(), held()) {
				renew(ctx)
			}
		}
	})
}

// used records that a call used the mailbox.
func (k *keepAlive) used() {
	if k != nil {
		k.lease.Used(now())
	}
}

func (k *keepAlive) close() {
	if k != nil {
		k.cancel()
	}
}
