package spreadsidecar

import (
	"context"
	"iter"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
)

// Receive waits for the next event (SP_receive). The first call starts to receive. If a stream breaks, the
// client resumes on a new stream. Each event arrives once and in order.
//
// After the last event, it fails with the reason why the mailbox ended. After Disconnect, the reason is
// ErrIllegalSession.
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

// ReceiveMany waits for the next event and returns it with all further available events, at most the given
// number. With automatic acknowledgement, the next call acknowledges all returned events.
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

// Events iterates over the mailbox's events until the mailbox disconnects. If an error occurs, it is the last
// element. The end of the loop does not end the mailbox.
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

// Channel returns a Go channel with the mailbox's events. The channel closes when the context or the mailbox
// ends. The returned function then returns the reason, or nil after Disconnect. If you do not read an event
// from the channel, it is not lost: the next receive call returns it. While the channel is open, do not use
// the other receive methods.
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
			// Reading this event acknowledges the events before it.
			m.acknowledgeTaken()
			m.onTaken(event)
		case <-ctx.Done():
			m.inbox.putBack(event)
			return contextError(ctx, "waiting for the application to receive an event")
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

// Poll counts the queued events without receiving them (SP_poll).
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

// Acknowledge acknowledges every event up to and including upTo, for example LastSequence, so that the
// sidecar releases them. It returns the sequence of the last acknowledged event. Required with AckExplicit
// and ManualAcknowledgement.
func (m *Mailbox) Acknowledge(ctx context.Context, upTo uint64) (uint64, error) {
	request := &pb.AcknowledgeRequest{MailboxId: m.id, UpToSequence: upTo}
	answer, err := mailboxCall(ctx, m, m.rpc.stub.Acknowledge, request)
	return answer.GetAcknowledgedSequence(), err
}

// View returns the current view of a group of this mailbox, without waiting for a change.
func (m *Mailbox) View(ctx context.Context, group string) (CurrentView, error) {
	if err := checkGroup(group); err != nil {
		return CurrentView{}, err
	}
	answer, err := mailboxCall(ctx, m, m.rpc.stub.GetView, &pb.GetViewRequest{MailboxId: m.id, Group: group})
	if err != nil {
		return CurrentView{}, err
	}
	if answer.GetView() == nil {
		return CurrentView{}, invalidResponse("GetView", "has no view")
	}
	return CurrentView{View: toView(EventInfo{}, answer.GetView()), InTransition: answer.GetInTransition()}, nil
}
