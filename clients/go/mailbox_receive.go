package spreadsidecar

import (
	"context"
	"iter"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Receive gives the next event, waiting for it if need be (SP_receive). The first call begins to receive. Broken streams
// are restored; each event comes once and in order.
//
// After the last event it fails with the reason why the mailbox ended; after Disconnect with ErrIllegalSession.
func (m *Mailbox) Receive(ctx context.Context) (Event, error) {
	m.receiver.start()
	m.acknowledgeTaken()
	event, err := m.inbox.take(ctx)
	if err != nil {
		return nil, err
	}
	m.onTaken(event)
	return event, nil
}

// ReceiveMany gives the next event, waiting for it if need be, and behind it those that have come already, at most so
// many. With automatic acknowledgement the call after it acknowledges all of them.
func (m *Mailbox) ReceiveMany(ctx context.Context, most int) ([]Event, error) {
	if most < 1 {
		return nil, fieldError("most", "1 or more", most)
	}
	first, err := m.Receive(ctx)
	if err != nil {
		return nil, err
	}
	events := m.inbox.takeMore(append(make([]Event, 0, min(most, 64)), first), most)
	for _, event := range events[1:] {
		m.onTaken(event)
	}
	return events, nil
}

// Events is the mailbox's events, until it is disconnected. An error is the last thing that it gives. Leaving the loop
// leaves the mailbox as it is.
func (m *Mailbox) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := m.Receive(ctx)
			if err != nil {
				if !m.inbox.over() {
					yield(nil, err)
				}
				return
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

// Channel gives the mailbox's events on a channel, which is closed when the context ends or the mailbox. The function
// that comes with it tells why, once it is closed; nil after Disconnect. An event that nobody has taken from the channel
// is not lost: whoever receives next gets it. Not to be mixed with other ways of receiving at the same time.
func (m *Mailbox) Channel(ctx context.Context) (<-chan Event, func() error) {
	events := make(chan Event)
	var end error
	m.receiver.start()
	m.tasks.begin(func() {
		defer close(events)
		end = m.feed(ctx, events)
	})
	return events, func() error { return end }
}

func (m *Mailbox) feed(ctx context.Context, events chan<- Event) error {
	for {
		event, err := m.inbox.take(ctx)
		if err != nil {
			if m.inbox.over() {
				return nil
			}
			return err
		}
		select {
		case events <- event:
			// Whoever takes this one has asked for the one after those before it.
			m.acknowledgeTaken()
			m.onTaken(event)
		case <-ctx.Done():
			m.inbox.putBack(event)
			return contextError(ctx, "waiting for an event to be taken")
		case <-m.ctx.Done():
			m.inbox.putBack(event)
			return nil
		}
	}
}

func (m *Mailbox) acknowledgeTaken() {
	if m.acknowledger != nil {
		m.acknowledger.request(m.lastTaken.Load())
	}
}

func (m *Mailbox) onTaken(event Event) {
	m.lastTaken.Store(event.Info().Sequence)
	if restored, ok := event.(*ConnectionRestored); ok {
		m.mu.Lock()
		m.privateGroup, m.daemon = restored.PrivateGroup, restored.Daemon
		m.mu.Unlock()
	}
}

// Poll counts what waits, without taking it (SP_poll).
func (m *Mailbox) Poll(ctx context.Context) (PollResult, error) {
	answer, err := mailboxCall(ctx, m, m.rpc.stub.Poll, &pb.PollRequest{MailboxId: m.id})
	if err != nil {
		return PollResult{}, err
	}
	return PollResult{
		BufferedEvents: m.inbox.size(),
		WaitingEvents:  answer.GetWaitingEvents(),
		WaitingBytes:   answer.GetWaitingBytes(),
		State:          toState(answer.GetState()),
	}, nil
}

// Acknowledge lets the sidecar forget every event up to and including this one, such as LastSequence, and gives the last
// acknowledged event. Needed with AckExplicit and ManualAcknowledgement.
func (m *Mailbox) Acknowledge(ctx context.Context, upTo uint64) (uint64, error) {
	request := &pb.AcknowledgeRequest{MailboxId: m.id, UpToSequence: upTo}
	answer, err := mailboxCall(ctx, m, m.rpc.stub.Acknowledge, request)
	return answer.GetAcknowledgedSequence(), err
}

// View gives the current view of a group that the mailbox is in, without waiting for a change.
func (m *Mailbox) View(ctx context.Context, group string) (CurrentView, error) {
	if err := checkGroup(group); err != nil {
		return CurrentView{}, err
	}
	answer, err := mailboxCall(ctx, m, m.rpc.stub.GetView, &pb.GetViewRequest{MailboxId: m.id, Group: group})
	if err != nil {
		return CurrentView{}, err
	}
	if answer.GetView() == nil {
		return CurrentView{}, incompleteAnswer("GetView", "view")
	}
	return CurrentView{View: toView(EventInfo{}, answer.GetView()), InTransition: answer.GetInTransition()}, nil
}
