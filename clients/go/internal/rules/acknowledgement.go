package rules

import "time"

// Acknowledgement decides when the client acknowledges events.
type Acknowledgement struct {
	tokenMayChange bool
	backoff        Backoff
	wanted, done   uint64
	// open is the sequence of the open call.
	open uint64
	// busy: a call is open, or the pause before its repetition.
	busy    bool
	stopped bool
}

// AfterAcknowledge says what follows a failed call.
type AfterAcknowledge int

const (
	// Repeat means: repeat the call after a pause (A3).
	Repeat AfterAcknowledge = iota
	// StopSilently means: stop to acknowledge. The stream reports the end of the mailbox (A2).
	StopSilently
	// StopWithError means: stop to acknowledge. Receiving ends with the error (A4).
	StopWithError
)

// NewAcknowledgement returns the rule for a mailbox.
func NewAcknowledgement(tokenMayChange bool, draw func() float64) *Acknowledgement {
	return &Acknowledgement{tokenMayChange: tokenMayChange, backoff: NewBackoff(draw)}
}

// AcknowledgementAfter decides what follows a failed call.
func AcknowledgementAfter(failure *Failure, tokenMayChange bool) AfterAcknowledge {
	switch {
	case failure.MailboxEnded():
		return StopSilently
	case failure.MayPass(tokenMayChange), failure.Retryable, failure.Reason == "":
		return Repeat
	}
	return StopWithError
}

// Request requests to acknowledge all events up to a sequence. It returns the sequence to send now, or false (A1).
func (a *Acknowledgement) Request(upTo uint64) (uint64, bool) {
	a.wanted = max(a.wanted, upTo)
	if a.busy {
		return 0, false
	}
	return a.next()
}

// next starts the next call if events wait for it.
func (a *Acknowledgement) next() (uint64, bool) {
	a.busy = !a.stopped && a.wanted > a.done
	a.open = a.wanted
	return a.open, a.busy
}

// Succeeded records that the open call succeeded. It returns the sequence to send next, or false (A1).
func (a *Acknowledgement) Succeeded() (uint64, bool) {
	a.done = max(a.done, a.open)
	a.backoff.Reset()
	return a.next()
}

// Failed records that the open call failed. For Repeat, it returns the pause (A2, A3, A4).
func (a *Acknowledgement) Failed(failure *Failure) (AfterAcknowledge, time.Duration) {
	after := AcknowledgementAfter(failure, a.tokenMayChange)
	if after == Repeat {
		return after, a.backoff.Next()
	}
	a.Stop()
	return after, 0
}

// PauseEnded returns the sequence to send after the pause: the highest requested one (A3). False after Stop.
func (a *Acknowledgement) PauseEnded() (uint64, bool) { return a.next() }

// Stop makes no further calls (C4).
func (a *Acknowledgement) Stop() { a.stopped = true }
