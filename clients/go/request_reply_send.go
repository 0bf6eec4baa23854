package spreadsidecar

import (
	"context"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/requestreply"
	"google.golang.org/grpc/codes"
)

const (
	// headerReplyStatus has the status of a reply that is not the result of a handler (Q2).
	headerReplyStatus = "reply-status"
	// maxErrorBytes is the maximum size of the message of a failed handler (Q2).
	maxErrorBytes = 1000
)

// outgoingCall is a request or a reply.
type outgoingCall struct {
	service     Service
	target      string
	payload     []byte
	messageType int
	headers     map[string]string
	// onFailure is called if the sidecar rejects the message. It must not wait for the sender.
	onFailure func(error)
}

// withHeaders adds names and values to a copy of headers.
func withHeaders(headers map[string]string, more ...string) map[string]string {
	all := make(map[string]string, len(headers)+len(more)/2)
	maps.Copy(all, headers)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// send passes a message to a sender. It waits only at the limit of messages in flight, and for a new sender after
// the stream of the previous sender broke.
func (c *RequestReply) send(ctx context.Context, timeout <-chan time.Time, message outgoingCall) error {
	service := message.service &^ SelfDiscard
	if service == 0 {
		service = AgreedMess
	}
	groups := []string{message.target}
	kind, err := checkOutgoing(service, groups, message.messageType)
	if err != nil {
		return err
	}
	headers, err := headersOf([]MessageOption{WithHeaders(message.headers)})
	if err != nil {
		return err
	}
	for {
		c.mu.Lock()
		if c.end != nil {
			c.mu.Unlock()
			return c.end
		}
		sender := c.sender
		if sender == nil || sender.isOver() {
			c.mu.Unlock()
			if err := c.openSender(ctx, sender); err != nil {
				return err
			}
			continue
		}
		index, full, err := sender.trySend(kind, groups, message.payload, int32(message.messageType), false, headers)
		if full == nil && err == nil {
			c.unsent.add(index, message.onFailure)
		}
		c.mu.Unlock()
		if err != nil && sender.isOver() {
			continue
		}
		if full == nil {
			return err
		}
		select {
		case <-full:
		case <-timeout:
			return &SpreadError{
				Message:   "the timeout passed while waiting for room to send",
				Status:    codes.DeadlineExceeded,
				Reason:    ErrDeadlineExceeded,
				Domain:    SidecarDomain,
				Retryable: true,
				Outcome:   OutcomeNotSent,
			}
		case <-ctx.Done():
			err := contextError(ctx, "waiting for room to send")
			err.Outcome = OutcomeNotSent
			return err
		case <-c.life.Done():
		}
	}
}

// openSender replaces a sender. One goroutine does so at a time.
func (c *RequestReply) openSender(ctx context.Context, previous *Sender) error {
	select {
	case c.reopening <- struct{}{}:
		defer func() { <-c.reopening }()
	case <-ctx.Done():
		err := contextError(ctx, "opening the stream")
		err.Outcome = OutcomeNotSent
		return err
	case <-c.life.Done():
		return nil // the caller returns the error of the end
	}
	c.mu.Lock()
	isReplaced := c.sender != previous
	c.mu.Unlock()
	if isReplaced {
		return nil
	}
	unsent := &unsentMessages{}
	sender, err := c.mailbox.Sender(c.life, SenderOptions{OnRefused: func(refusal Refusal) {
		c.mu.Lock()
		onFailure := unsent.get(refusal.Index)
		c.mu.Unlock()
		if onFailure != nil {
			onFailure(refusal.Err)
		}
	}})
	if c.life.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	unsent.sender = sender
	c.mu.Lock()
	c.sender, c.unsent = sender, unsent
	c.mu.Unlock()
	c.mailbox.tasks.begin(func() {
		<-sender.ended
		c.onSenderEnded(unsent)
	})
	return nil
}

// onSenderEnded reports the messages that a broken stream did not send. Requests whose outcome is unknown stay
// open, because their replies may arrive.
func (c *RequestReply) onSenderEnded(unsent *unsentMessages) {
	failure := unsent.sender.streamFailure()
	if failure == nil || failure.Outcome != OutcomeNotSent || c.mailbox.gone.Load() {
		return
	}
	c.mu.Lock()
	unsent.prune()
	failures := unsent.failures
	c.mu.Unlock()
	for _, onFailure := range failures {
		onFailure(failure)
	}
}

// unsentMessages has what to do if the sidecar rejects a message of a sender, by the index of the message.
type unsentMessages struct {
	sender *Sender
	// first is the index of the first element of failures.
	first    uint64
	failures []func(error)
}

// pruneAbove is the number of messages above which those with a known result are removed.
const pruneAbove = 64

func (u *unsentMessages) add(index uint64, onFailure func(error)) {
	if len(u.failures) >= pruneAbove {
		u.prune()
	}
	if len(u.failures) == 0 {
		u.first = index
	}
	u.failures = append(u.failures, onFailure)
}

// prune removes the messages whose result is known.
func (u *unsentMessages) prune() {
	reported := u.sender.reportedMessages()
	if len(u.failures) == 0 || reported < u.first {
		return
	}
	count := min(int(reported-u.first)+1, len(u.failures))
	clear(u.failures[:count])
	u.failures = u.failures[count:]
	u.first += uint64(count)
}

func (u *unsentMessages) get(index uint64) func(error) {
	if index < u.first || index-u.first >= uint64(len(u.failures)) {
		return nil
	}
	return u.failures[index-u.first]
}

// answer sends a reply.
func (c *RequestReply) answer(request *RegularMessage, status requestreply.Status, reply HandlerReply) {
	headers := withHeaders(reply.Headers, HeaderCorrelationID, request.Headers[HeaderCorrelationID])
	delete(headers, HeaderReplyTo)
	delete(headers, headerReplyStatus)
	if status != requestreply.OK {
		headers[headerReplyStatus] = string(status)
	}
	// For example, the payload is too long. An error reply is short. If it fails too, the reply-to is malformed.
	onFailure := func(err error) {
		if status == requestreply.OK {
			c.mailbox.tasks.begin(func() { c.answerError(request, err) })
		}
	}
	err := c.send(c.life, nil, outgoingCall{
		target:    request.Headers[HeaderReplyTo],
		payload:   reply.Payload,
		headers:   headers,
		onFailure: onFailure,
	})
	if err != nil {
		onFailure(err)
	}
}

func (c *RequestReply) answerError(request *RegularMessage, err error) {
	c.answer(request, requestreply.Failed, HandlerReply{Payload: []byte(errorText(err))})
}

// errorText is the message of an error, cut to a length that fits in a reply.
func errorText(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	if len(text) <= maxErrorBytes {
		return text
	}
	end := maxErrorBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
