package spreadsidecar

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/requestreply"
	"google.golang.org/grpc/codes"
)

// maxReceived is the maximum number of events that one receive call takes.
const maxReceived = 256

// receive receives until the end of the mailbox. It never waits for a handler (Q8).
func (c *RequestReply) receive() {
	for {
		events, err := c.mailbox.ReceiveMany(context.Background(), maxReceived)
		if err != nil {
			c.endWith(err)
			return
		}
		for _, event := range events {
			if !c.onReceived(event) && c.onEvent != nil {
				c.mailbox.tasks.callback(func() { c.onEvent(event) })
			}
		}
	}
}

// onReceived returns true for a request or a reply.
func (c *RequestReply) onReceived(event Event) bool {
	switch event := event.(type) {
	case *RegularMessage:
		id, isCall := event.Headers[HeaderCorrelationID]
		if !isCall {
			return false
		}
		if _, isRequest := event.Headers[HeaderReplyTo]; !isRequest {
			return c.onReply(id, event)
		}
		c.onRequest(id, event)
		return true
	case *ViewMessage:
		c.onView(event)
	case *SelfLeaveMessage:
		c.mu.Lock()
		delete(c.members, event.Group)
		c.mu.Unlock()
	case *ConnectionLost:
		c.mu.Lock()
		clear(c.members)
		for id := range c.open {
			c.failLocked(id, connectionLost())
		}
		c.mu.Unlock()
	}
	return false
}

func (c *RequestReply) onReply(id string, message *RegularMessage) bool {
	if !strings.HasPrefix(id, c.prefix) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	request := c.open[id]
	if request == nil {
		c.late++
		return true
	}
	status := requestreply.Status(message.Headers[headerReplyStatus])
	reply := Reply{Sender: message.Sender, Headers: message.Headers}
	if status == requestreply.Failed {
		reply.Err = &HandlerError{Message: strings.ToValidUTF8(message.Text(), "\uFFFD")}
	} else {
		reply.Payload = message.Payload
	}
	if !request.pending.Answer(status, message.Sender, reply) {
		c.duplicate++
	}
	c.settle(id, request)
	return true
}

func (c *RequestReply) onRequest(id string, message *RegularMessage) {
	own := c.PrivateGroup()
	c.mu.Lock()
	if message.Sender == own {
		c.onOwnRequest(id, own)
	}
	s, group := c.serviceOf(message.Groups, own)
	decision := requestreply.Reject
	request := incoming{message: message, group: group}
	if s != nil {
		decision = s.queue.Add(request)
	}
	c.mu.Unlock()
	switch {
	case s == nil:
		// The requester does not count as a member that must answer, unless it is the target.
		if message.Sender != own || slices.Contains(message.Groups, own) {
			c.answer(message, requestreply.NotServing, HandlerReply{})
		}
	case decision == requestreply.Run:
		c.mailbox.tasks.begin(func() { c.run(s, request) })
	case decision == requestreply.Reject:
		c.answer(message, requestreply.Overloaded, HandlerReply{})
	}
}

// onOwnRequest: the view in which the requester receives its own request is the view in which all members receive
// it (Q3).
func (c *RequestReply) onOwnRequest(id, own string) {
	request := c.open[id]
	if request == nil {
		return
	}
	target := request.pending.Target
	members, isMember := c.members[target]
	if !isMember {
		return
	}
	if c.services[target] == nil {
		members = slices.DeleteFunc(slices.Clone(members), func(member string) bool { return member == own })
	}
	request.pending.Delivered(members)
	c.settle(id, request)
}

// serviceOf returns the service of a request and its group. For the private group, it is the service that has been
// open for the longest time (Q11).
func (c *RequestReply) serviceOf(groups []string, own string) (*service, string) {
	for _, group := range groups {
		if s := c.services[group]; s != nil {
			return s, group
		}
	}
	if len(c.oldest) == 0 || !slices.Contains(groups, own) {
		return nil, ""
	}
	return c.oldest[0], own
}

// run runs the handler of a request, and then those of the requests that wait.
func (c *RequestReply) run(s *service, next incoming) {
	for ok := true; ok; {
		c.handle(s.handler, next)
		c.mu.Lock()
		next, ok = s.queue.Next()
		c.mu.Unlock()
	}
}

func (c *RequestReply) handle(handler RequestHandler, request incoming) {
	message := request.message
	var reply HandlerReply
	var err error
	c.mailbox.tasks.callback(func() {
		reply, err = handler(c.life, &IncomingRequest{
			Payload:     message.Payload,
			Sender:      message.Sender,
			Group:       request.group,
			MessageType: message.MessageType,
			Headers:     message.Headers,
		})
	})
	if err != nil {
		c.answerError(message, err)
	} else {
		c.answer(message, requestreply.OK, reply)
	}
}

func (c *RequestReply) onView(view *ViewMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[view.Group] = view.Members
	if len(c.open) == 0 {
		return
	}
	members := make(map[string]struct{}, len(view.Members))
	for _, member := range view.Members {
		members[member] = struct{}{}
	}
	var gone []string
	if view.Cause == CauseDisconnect || view.Cause == CauseNetwork {
		for _, member := range view.ChangedMembers {
			if _, isMember := members[member]; !isMember {
				gone = append(gone, member)
			}
		}
	}
	for id, request := range c.open {
		if request.pending.Target == view.Group {
			request.pending.View(members)
		} else {
			for _, member := range gone {
				request.pending.Disconnected(member)
			}
		}
		c.settle(id, request)
	}
}

// settle ends a request that has a result. The caller holds the lock, as for the next functions with this suffix.
func (c *RequestReply) settle(id string, request *openRequest) {
	if result, isOver := request.pending.Result(); isOver {
		replies := Replies(result)
		request.replies = &replies
		delete(c.open, id)
		close(request.done)
	}
}

func (c *RequestReply) timeOut(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if request := c.open[id]; request != nil {
		request.pending.TimeOut()
		c.settle(id, request)
	}
}

// fail ends a request with an error.
func (c *RequestReply) fail(id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(id, err)
}

func (c *RequestReply) failLocked(id string, err error) {
	if request := c.open[id]; request != nil {
		request.err = err
		delete(c.open, id)
		close(request.done)
	}
}

func (c *RequestReply) addService(s *service) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		return c.end
	}
	if c.services[s.group] != nil {
		return fieldError("group", "a group that this object does not serve", s.group)
	}
	c.services[s.group] = s
	c.oldest = append(c.oldest, s)
	return nil
}

// removeService rejects the requests that wait. It returns false if the service has ended before.
func (c *RequestReply) removeService(s *service) bool {
	c.mu.Lock()
	if c.services[s.group] != s {
		c.mu.Unlock()
		return false
	}
	delete(c.services, s.group)
	c.oldest = slices.DeleteFunc(c.oldest, func(other *service) bool { return other == s })
	waiting := s.queue.Stop()
	c.mu.Unlock()
	for _, request := range waiting {
		c.answer(request.message, requestreply.NotServing, HandlerReply{})
	}
	return true
}

// endWith ends all requests and services. Only the first end has an effect.
func (c *RequestReply) endWith(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		return
	}
	c.end = withOutcome(err, OutcomeNotSent)
	c.endLife()
	for _, s := range c.oldest {
		s.queue.Stop()
	}
	clear(c.services)
	c.oldest = nil
	failure := withOutcome(err, OutcomeUnknown)
	for id := range c.open {
		c.failLocked(id, failure)
	}
}

// withOutcome is an error of the mailbox as the error of a request.
func withOutcome(err error, outcome Outcome) error {
	var failure *SpreadError
	if !errors.As(err, &failure) {
		return err
	}
	result := *failure
	result.Outcome = outcome
	return &result
}

func connectionLost() *SpreadError {
	return &SpreadError{
		Message: "the sidecar lost the daemon connection while the request waited for replies",
		Status:  codes.Unavailable,
		Outcome: OutcomeUnknown,
	}
}
