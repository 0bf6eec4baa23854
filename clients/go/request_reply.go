package spreadsidecar

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/requestreply"
	"github.com/spread-sidecar/spread-sidecar/clients/go/internal/rules"
	"google.golang.org/grpc/codes"
)

// AllReplies as the number of replies waits for a reply of each member of the group.
const AllReplies = requestreply.AllMembers

const (
	// maxOpenRequests is the maximum number of open requests of one object (Q10).
	maxOpenRequests       = 10_000
	defaultRequestTimeout = 30 * time.Second
	defaultMaxQueued      = 1000
)

// RequestReplyOptions are the options of [Sidecar.OpenRequestReply].
type RequestReplyOptions struct {
	// Mailbox has the options of the mailbox. NoMembership, EndWithConnection, AutoReceive and
	// ManualAcknowledgement have no effect.
	Mailbox MailboxOptions
	// OutlivesConnection makes the mailbox end after its lease. By default, the mailbox ends 500 ms after the
	// client's connection closes, so that requesters learn within a second that this process has died.
	OutlivesConnection bool
	// OnEvent is called for each event that is neither a request nor a reply, such as a view. One goroutine calls
	// OnEvent, in order. Requests and replies wait until OnEvent returns.
	OnEvent func(Event)
}

// RequestOptions are the options of [RequestReply.Request].
type RequestOptions struct {
	// Replies is the number of replies to wait for, or [AllReplies]. Default: 1.
	Replies int
	// Timeout is the maximum time until the result. Default: 30 s.
	Timeout time.Duration
	// ServiceType is one of UnreliableMess to SafeMess. Default: AgreedMess. SelfDiscard has no effect.
	ServiceType Service
	// MessageType is the application's own number, -32768 to 32767.
	MessageType int
	// Headers are further headers of the request.
	Headers map[string]string
}

// Reply is a reply to a request.
type Reply struct {
	// Sender is the private group of the member that replied.
	Sender string
	// Payload is empty if Err is set.
	Payload []byte
	Headers map[string]string
	// Err is a [*HandlerError] if the handler of the member failed. Otherwise nil.
	Err error
}

// Text returns the payload as a string.
func (r *Reply) Text() string { return string(r.Payload) }

// HandlerError is the error of a handler of another member.
type HandlerError struct {
	// Message is the message of the error, at most 1,000 bytes.
	Message string
}

// Error returns the message.
func (e *HandlerError) Error() string { return e.Message }

// Replies is the result of a request. Missing replies are not an error.
type Replies struct {
	// Replies has the replies in the order of their arrival, at most one from each member.
	Replies []Reply
	// Left has the members that got the request and left the group, or disconnected, without a reply.
	Left []string
	// Overloaded has the members that rejected the request, because too many requests waited for their handlers.
	Overloaded []string
	// Missing has the members without a reply when the request ended too early. Empty if the requester does not
	// know the members.
	Missing []string
	// TimedOut means that the timeout passed.
	TimedOut bool
	// Complete means that all requested replies arrived.
	Complete bool
}

// IncomingRequest is a request that a handler gets.
type IncomingRequest struct {
	Payload []byte
	// Sender is the private group of the requester.
	Sender string
	// Group is the served group, or the private group of this member.
	Group       string
	MessageType int
	Headers     map[string]string
}

// Text returns the payload as a string.
func (r *IncomingRequest) Text() string { return string(r.Payload) }

// HandlerReply is the reply of a handler.
type HandlerReply struct {
	Payload []byte
	Headers map[string]string
}

// RequestHandler handles a request. The requester gets the message of an error, at most 1,000 bytes. The context
// ends with the mailbox.
type RequestHandler func(ctx context.Context, request *IncomingRequest) (HandlerReply, error)

// ServeOptions are the options of [RequestReply.Serve].
type ServeOptions struct {
	// Concurrency is the maximum number of handlers that run at the same time. Default: 1, in the order of
	// delivery.
	Concurrency int
	// MaxQueued is the maximum number of requests that wait for a handler. Further requests are rejected.
	// Default: 1,000. Negative: no request waits.
	MaxQueued int
}

// RequestStatistics has counters of a [RequestReply].
type RequestStatistics struct {
	// Open is the number of open requests.
	Open int
	// LateReplies is the number of replies to requests that had ended.
	LateReplies uint64
	// DuplicateReplies is the number of second replies of a member to an open request.
	DuplicateReplies uint64
}

// RequestReply makes and handles requests over a mailbox of its own. The project's docs/request-reply.md has the
// rules. Handlers can make requests themselves.
type RequestReply struct {
	mailbox *Mailbox
	onEvent func(Event)
	// prefix starts the correlation IDs of this object.
	prefix string
	// life is the context of handlers. It ends with the mailbox.
	life    context.Context
	endLife context.CancelFunc
	// reopening has one element while a goroutine opens a sender.
	reopening chan struct{}

	mu       sync.Mutex
	sender   *Sender
	unsent   *unsentMessages
	counter  uint64
	open     map[string]*openRequest
	services map[string]*service
	// oldest has the services in the order in which they were opened (Q11).
	oldest []*service
	// members has the current view of each group of the mailbox.
	members map[string][]string
	// joined has the groups that the mailbox has joined. Their first view may still be in the inbox.
	joined map[string]struct{}
	// changing has the groups with a join or leave in progress. The channel is closed at its end.
	changing        map[string]chan struct{}
	late, duplicate uint64
	end             error
}

type openRequest struct {
	pending *requestreply.PendingRequest[Reply]
	// done is closed when replies or err is set.
	done    chan struct{}
	replies *Replies
	err     error
}

type incoming struct {
	message *RegularMessage
	group   string
}

type service struct {
	group   string
	handler RequestHandler
	queue   *requestreply.ServiceQueue[incoming]
}

// RequestService is a group whose requests are handled.
type RequestService struct {
	calls   *RequestReply
	service *service
}

// OpenRequestReply opens a mailbox for requests and replies.
func (s *Sidecar) OpenRequestReply(ctx context.Context, options RequestReplyOptions) (*RequestReply, error) {
	mailboxOptions := options.Mailbox
	mailboxOptions.NoMembership = false
	mailboxOptions.EndWithConnection = !options.OutlivesConnection
	mailboxOptions.AutoReceive = false
	mailboxOptions.ManualAcknowledgement = false
	mailbox, err := s.Connect(ctx, mailboxOptions)
	if err != nil {
		return nil, err
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	c := &RequestReply{
		mailbox:   mailbox,
		onEvent:   options.OnEvent,
		prefix:    hex.EncodeToString(random[:]) + "-",
		reopening: make(chan struct{}, 1),
		open:      map[string]*openRequest{},
		services:  map[string]*service{},
		members:   map[string][]string{},
		joined:    map[string]struct{}{},
		changing:  map[string]chan struct{}{},
	}
	c.life, c.endLife = context.WithCancel(context.Background())
	mailbox.tasks.begin(c.receive)
	return c, nil
}

// PrivateGroup returns the private group, to which requests can go too.
func (c *RequestReply) PrivateGroup() string { return c.mailbox.PrivateGroup() }

// Statistics returns the number of open requests, and counters of replies without effect.
func (c *RequestReply) Statistics() RequestStatistics {
	c.mu.Lock()
	defer c.mu.Unlock()
	return RequestStatistics{Open: len(c.open), LateReplies: c.late, DuplicateReplies: c.duplicate}
}

// Request sends a request to a group or a private group, and waits for the replies. With [AllReplies], it joins
// the group first, because only members know the view. It returns the replies, also if some are missing. It fails
// if the request was not sent, if the context ends, or if the mailbox ends. The Outcome of the error says whether the
// request may have been sent.
func (c *RequestReply) Request(
	ctx context.Context, target string, payload []byte, options RequestOptions,
) (*Replies, error) {
	if options.Replies == 0 {
		options.Replies = 1
	}
	if options.Replies < 1 && options.Replies != AllReplies {
		return nil, fieldError("replies", "a number, 1 or more, or AllReplies", options.Replies)
	}
	if options.Timeout == 0 {
		options.Timeout = defaultRequestTimeout
	}
	if options.Timeout < 0 {
		return nil, fieldError("timeout", "a duration, more than 0", options.Timeout)
	}
	if ctx.Err() != nil {
		err := contextErrorWhen(ctx, "before the request was sent")
		err.Outcome = OutcomeNotSent
		return nil, err
	}
	timer := time.NewTimer(options.Timeout)
	defer timer.Stop()
	if options.Replies == AllReplies && !requestreply.IsPrivate(target) {
		if err := c.join(ctx, target, options.Timeout); err != nil {
			return nil, withOutcome(err, OutcomeNotSent)
		}
	}
	id, request, err := c.register(target, options.Replies)
	if err != nil {
		return nil, err
	}
	err = c.send(ctx, timer.C, outgoingCall{
		service:     options.ServiceType,
		target:      target,
		payload:     payload,
		messageType: options.MessageType,
		headers:     withHeaders(options.Headers, HeaderCorrelationID, id, HeaderReplyTo, c.PrivateGroup()),
		onFailure:   func(err error) { c.fail(id, err) },
	})
	if err != nil {
		c.fail(id, err)
	}
	select {
	case <-request.done:
	case <-timer.C:
		c.timeOut(id)
	case <-ctx.Done():
		c.fail(id, withOutcome(contextError(ctx, "waiting for replies"), OutcomeUnknown))
	}
	<-request.done
	return request.replies, request.err
}

// register adds an open request.
func (c *RequestReply) register(target string, wanted int) (id string, request *openRequest, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		return "", nil, c.end
	}
	if len(c.open) >= maxOpenRequests {
		return "", nil, tooManyRequests()
	}
	c.counter++
	id = c.prefix + strconv.FormatUint(c.counter, 10)
	request = &openRequest{
		pending: requestreply.NewPendingRequest[Reply](target, wanted),
		done:    make(chan struct{}),
	}
	c.open[id] = request
	return id, request, nil
}

// Serve joins a group and calls a handler for each request. The result of the handler is the reply. A request to
// the private group goes to the service that has been open for the longest time. The context limits only the join.
func (c *RequestReply) Serve(
	ctx context.Context, group string, handler RequestHandler, options ServeOptions,
) (*RequestService, error) {
	switch {
	case options.Concurrency == 0:
		options.Concurrency = 1
	case options.Concurrency < 0:
		return nil, fieldError("concurrency", "a number, 1 or more", options.Concurrency)
	}
	if options.MaxQueued == 0 {
		options.MaxQueued = defaultMaxQueued
	}
	s := &service{
		group:   group,
		handler: handler,
		queue:   requestreply.NewServiceQueue[incoming](options.Concurrency, max(options.MaxQueued, 0)),
	}
	if err := c.addService(s); err != nil {
		return nil, err
	}
	if err := c.join(ctx, group, math.MaxInt64); err != nil {
		c.removeService(s)
		return nil, err
	}
	return &RequestService{calls: c, service: s}, nil
}

// Group returns the group.
func (s *RequestService) Group() string { return s.service.group }

// Stop stops to handle requests and leaves the group. Requests that wait are rejected. Handlers that run continue.
func (s *RequestService) Stop(ctx context.Context) error {
	if !s.calls.removeService(s.service) {
		return nil
	}
	return s.calls.leave(ctx, s.service.group)
}

// Close ends the mailbox. Open requests fail with ErrIllegalSession and OutcomeUnknown, and the context of handlers ends. When Close
// returns, all goroutines of this object have ended, except handlers that do not return.
func (c *RequestReply) Close(ctx context.Context) error {
	c.endWith(localSpreadError(IllegalSession, "the mailbox is disconnected", nil))
	c.flush(ctx)
	_, err := c.mailbox.Disconnect(ctx, DisconnectOptions{})
	return err
}

// flush waits for a short time until the replies of finished handlers were sent.
func (c *RequestReply) flush(ctx context.Context) {
	c.mu.Lock()
	sender := c.sender
	c.mu.Unlock()
	if sender == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rules.FinishTime)
	defer cancel()
	_, _ = sender.Flush(ctx)
}

// join returns when the mailbox is a member of the group.
func (c *RequestReply) join(ctx context.Context, group string, timeout time.Duration) error {
	isJoined := func() (bool, error) {
		_, isMember := c.joined[group]
		return isMember, c.end
	}
	return c.change(ctx, group, isJoined, func() error {
		if timeout < math.MaxInt64 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		_, err := c.mailbox.JoinAndAwaitView(ctx, group)
		if err == nil {
			c.mu.Lock()
			c.joined[group] = struct{}{}
			c.mu.Unlock()
		}
		return err
	})
}

// leave leaves the group after all replies of this mailbox.
func (c *RequestReply) leave(ctx context.Context, group string) error {
	hasLeft := func() (bool, error) {
		_, isMember := c.joined[group]
		return !isMember, c.end
	}
	return c.change(ctx, group, hasLeft, func() error {
		c.flush(ctx)
		c.mu.Lock()
		delete(c.joined, group) // also if leaving fails: then the next join has no effect in the sidecar
		c.mu.Unlock()
		_, err := c.mailbox.LeaveAndAwaitView(ctx, group)
		return err
	})
}

// change makes one join or leave of a group at a time. It does nothing if isDone, which runs with the lock, returns
// true or an error.
func (c *RequestReply) change(
	ctx context.Context, group string, isDone func() (bool, error), carryOut func() error,
) error {
	for {
		c.mu.Lock()
		other := c.changing[group]
		if other == nil {
			done, err := isDone()
			if done || err != nil {
				c.mu.Unlock()
				return err
			}
			own := make(chan struct{})
			c.changing[group] = own
			c.mu.Unlock()
			defer func() {
				c.mu.Lock()
				delete(c.changing, group)
				c.mu.Unlock()
				close(own)
			}()
			return carryOut()
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return contextError(ctx, "waiting for a join or leave of the group "+group)
		}
	}
}

func tooManyRequests() *SpreadError {
	return &SpreadError{
		Message:   fmt.Sprintf("too many requests are open; at most %d are allowed", maxOpenRequests),
		Status:    codes.ResourceExhausted,
		Reason:    ErrTooManyCalls,
		Domain:    SidecarDomain,
		Metadata:  map[string]string{"limit": "requests", "bound": strconv.Itoa(maxOpenRequests)},
		Retryable: true,
		Outcome:   OutcomeNotSent,
	}
}
