package rules

import (
	"sync/atomic"
	"time"
)

// minLeasePause is the minimum time without use before a call keeps the lease (K1).
const minLeasePause = 50 * time.Millisecond

// Lease decides when a call keeps the lease of a mailbox whose application neither receives nor makes calls.
type Lease struct {
	pause   time.Duration
	lastUse atomic.Int64
}

// NewLease returns the rule for a lease. The mailbox has been used now.
func NewLease(lease, now time.Duration) *Lease {
	l := &Lease{pause: max(lease/3, minLeasePause)}
	l.Used(now)
	return l
}

// CheckEvery returns the interval between calls of Renews (K2).
func (l *Lease) CheckEvery() time.Duration { return l.pause / 2 }

// Used records that a call uses the mailbox.
func (l *Lease) Used(now time.Duration) { l.lastUse.Store(int64(now)) }

// Renews reports whether the client makes a call now to keep the lease (K1). The call counts as a use. attached: a
// stream keeps the lease.
func (l *Lease) Renews(now time.Duration, attached bool) bool {
	if attached || now-time.Duration(l.lastUse.Load()) < l.pause {
		return false
	}
	l.Used(now)
	return true
}
