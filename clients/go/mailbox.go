package spreadsidecar

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
)

// Mailbox is a connection to a Spread daemon, kept by the sidecar. Different mailboxes are independent. Everything that
// fails gives a [*SpreadError].
type Mailbox struct {
	id              string
	daemonVersion   VersionTriple
	limits          MailboxLimits
	acknowledgement AcknowledgementMode

	rpc          *rpc
	inbox        *inbox
	receiver     *receiver
	acknowledger *acknowledger
	keepAlive    *keepAlive
	onNotice     func(Notice)
	onClosed     func()
	tasks        tasks
	// ctx ends what the mailbox does in the background.
	ctx       context.Context
	cancel    context.CancelFunc
	lastTaken atomic.Uint64
	gone      atomic.Bool

	mu           sync.Mutex
	privateGroup string
	daemon       string
	senders      map[*Sender]struct{}

	disconnecting sync.Once
	wasOpen       bool
	disconnectErr error
}

type mailboxInit struct {
	id, privateGroup, daemon string
	daemonVersion            VersionTriple
	limits                   MailboxLimits
	acknowledgement          AcknowledgementMode
	afterSequence            uint64
}

func newMailbox(r *rpc, init mailboxInit, options ReceiveOptions, onClosed func(*Mailbox)) *Mailbox {
	m := &Mailbox{
		id:              init.id,
		daemonVersion:   init.daemonVersion,
		limits:          init.limits,
		acknowledgement: init.acknowledgement,
		rpc:             r,
		inbox:           newInbox(options),
		onNotice:        options.OnNotice,
		privateGroup:    init.privateGroup,
		daemon:          init.daemon,
		senders:         map[*Sender]struct{}{},
	}
	m.onClosed = func() { onClosed(m) }
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.lastTaken.Store(init.afterSequence)
	settings := receiveSettings{
		mailboxID:            init.id,
		afterSequence:        init.afterSequence,
		maxOutstandingEvents: options.MaxOutstandingEvents,
		maxOutstandingBytes:  options.MaxOutstandingBytes,
		heartbeat:            options.HeartbeatInterval,
		giveUpAfter:          init.limits.Lease,
	}
	if settings.heartbeat == 0 {
		settings.heartbeat = 10 * time.Second
	}
	m.receiver = newReceiver(r, m.inbox, settings, &m.tasks, m.notify)
	if init.acknowledgement == AckExplicit && !options.ManualAcknowledgement {
		m.acknowledger = &acknowledger{
			ctx:   m.ctx,
			tasks: &m.tasks,
			send: func(ctx context.Context, upTo uint64) error {
				_, err := m.Acknowledge(ctx, upTo)
				return err
			},
			mayPass: r.mayPass,
			onRefused: func(err *SpreadError) {
				// That the mailbox is gone tells the stream itself, and it knows why and which events were lost with it.
				if err.Reason != ErrIllegalSession && err.Reason != ErrLeaseExpired {
					m.receiver.fail(err)
				}
			},
		}
	}
	if !options.NoKeepAlive {
		ping := func(ctx context.Context) { _, _ = m.Poll(ctx) }
		m.keepAlive = newKeepAlive(init.limits.Lease)
		m.keepAlive.begin(m.ctx, &m.tasks, m.receiver.attached.Load, ping)
	}
	if options.AutoReceive {
		m.receiver.start()
	}
	return m
}

// ID is the mailbox's id. Whoever has it owns the mailbox: keep it as a secret.
func (m *Mailbox) ID() string { return m.id }

// PrivateGroup is the private group that the daemon gave, such as #alice#node1: messages to it reach this mailbox alone.
// May be another after a [*ConnectionRestored].
func (m *Mailbox) PrivateGroup() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.privateGroup
}

// Daemon is the daemon that it was connected to, as a spread name. May be another after a [*ConnectionRestored].
func (m *Mailbox) Daemon() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.daemon
}

// DaemonVersion is the daemon's release.
func (m *Mailbox) DaemonVersion() VersionTriple { return m.daemonVersion }

// Limits is the limits that hold for it.
func (m *Mailbox) Limits() MailboxLimits { return m.limits }

// Acknowledgement is the acknowledgement mode that holds.
func (m *Mailbox) Acknowledgement() AcknowledgementMode { return m.acknowledgement }

// LastSequence is the sequence of the last event that the application took; 0 if none.
func (m *Mailbox) LastSequence() uint64 { return m.lastTaken.Load() }

// Join joins a group (SP_join). Joining one that the mailbox is in changes nothing.
func (m *Mailbox) Join(ctx context.Context, group string) error {
	_, err := m.join(ctx, group, false)
	return err
}

// JoinAndAwaitView joins a group and waits for the view that shows this mailbox as a member; it also comes as an event.
func (m *Mailbox) JoinAndAwaitView(ctx context.Context, group string) (*ViewMessage, error) {
	answer, err := m.join(ctx, group, true)
	if err != nil {
		return nil, err
	}
	if answer.GetView() == nil {
		return nil, incompleteAnswer("Join", "view")
	}
	return toView(EventInfo{}, answer.GetView()), nil
}

func (m *Mailbox) join(ctx context.Context, group string, await bool) (*pb.JoinResponse, error) {
	if err := checkGroup(group); err != nil {
		return nil, err
	}
	return mailboxCall(ctx, m, m.rpc.stub.Join, &pb.JoinRequest{MailboxId: m.id, Group: group, AwaitView: await})
}

// Leave leaves a group (SP_leave). Leaving one that the mailbox is not in changes nothing.
func (m *Mailbox) Leave(ctx context.Context, group string) error {
	_, err := m.leave(ctx, group, false)
	return err
}

// LeaveAndAwaitView leaves a group and waits for the self-leave, which also comes as an event; nil when the mailbox was not in
// the group.
func (m *Mailbox) LeaveAndAwaitView(ctx context.Context, group string) (*SelfLeaveMessage, error) {
	answer, err := m.leave(ctx, group, true)
	if err != nil || answer.GetSelfLeave() == nil {
		return nil, err
	}
	return &SelfLeaveMessage{Group: answer.GetSelfLeave().GetGroup()}, nil
}

func (m *Mailbox) leave(ctx context.Context, group string, await bool) (*pb.LeaveResponse, error) {
	if err := checkGroup(group); err != nil {
		return nil, err
	}
	return mailboxCall(ctx, m, m.rpc.stub.Leave, &pb.LeaveRequest{MailboxId: m.id, Group: group, AwaitView: await})
}

// Multicast sends a message to all members of a group, or to a private group (SP_multicast), and gives the bytes sent
// when the daemon's connection took it. One need not be a member. The error's Outcome tells whether the message may
// have been sent all the same.
//
// service is one of UnreliableMess to SafeMess, with SelfDiscard added (|) or not; messageType is the application's own
// number, -32768 to 32767.
func (m *Mailbox) Multicast(ctx context.Context, service Service, group string, payload []byte, messageType int) (int, error) {
	return m.MultigroupMulticast(ctx, service, []string{group}, payload, messageType)
}

// MultigroupMulticast sends one message to all members of several groups (SP_multigroup_multicast): a mailbox that is in
// more than one of them gets it once. Else like [Mailbox.Multicast].
func (m *Mailbox) MultigroupMulticast(
	ctx context.Context, service Service, groups []string, payload []byte, messageType int,
) (int, error) {
	kind, err := checkOutgoing(service, groups, messageType)
	if err != nil {
		return 0, err
	}
	if err := m.use(); err != nil {
		return 0, err
	}
	answer, err := sendCall(ctx, m.rpc, m.rpc.stub.Multicast, &pb.MulticastRequest{
		MailboxId: m.id,
		Message: &pb.MulticastMessage{
			ServiceType: kind,
			Groups:      groups,
			Payload:     payload,
			MessageType: int32(messageType),
			SelfDiscard: service.IsSelfDiscard(),
		},
	})
	return int(answer.GetBytesSent()), err
}

// Sender opens a stream for many messages, for rates that one call a message can't reach. Its messages keep their order;
// towards other calls of this mailbox they do after Flush. The context bounds the opening, not the life of the sender.
func (m *Mailbox) Sender(ctx context.Context, options SenderOptions) (*Sender, error) {
	if err := m.use(); err != nil {
		return nil, err
	}
	sender, err := newSender(ctx, m, options)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	for old := range m.senders {
		if old.isOver() {
			delete(m.senders, old)
		}
	}
	m.senders[sender] = struct{}{}
	m.mu.Unlock()
	if m.gone.Load() {
		sender.Abort()
	}
	return sender, nil
}

// Info gives state and counters, as the sidecar has them.
func (m *Mailbox) Info(ctx context.Context) (*MailboxInfo, error) {
	if err := m.use(); err != nil {
		return nil, err
	}
	return fetchInfo(ctx, m.rpc, m.id)
}

// DisconnectOptions says how to end a mailbox.
type DisconnectOptions struct {
	// LeaveGroupsFirst: leave every group first, so that the others see LEAVE and not DISCONNECT.
	LeaveGroupsFirst bool
	// Abort: drop the daemon's socket without a goodbye (SP_kill), for tests of failure.
	Abort bool
}

// Disconnect ends the mailbox (SP_disconnect) and tells whether this call ended it: false when it had ended, and when its
// sidecar is shutting down or cannot be reached. The events that had come by then can still be received. What belongs to the mailbox on this side is closed
// even if the call fails; the sidecar then ends it after the lease. A second call gives what the first did.
func (m *Mailbox) Disconnect(ctx context.Context, options DisconnectOptions) (wasOpen bool, err error) {
	first := false
	m.disconnecting.Do(func() {
		first = true
		var answer *pb.DisconnectResponse
		answer, m.disconnectErr = call(ctx, m.rpc, m.rpc.stub.Disconnect, &pb.DisconnectRequest{
			MailboxId:        m.id,
			LeaveGroupsFirst: options.LeaveGroupsFirst,
			Abort:            options.Abort,
		})
		m.wasOpen = answer.GetWasOpen()
		told := m.inbox.failure()
		if (told != nil && !livesOn(told)) || (ctx.Err() == nil && isGone(m.disconnectErr)) {
			m.disconnectErr = nil
		}
	})
	if first {
		if m.disconnectErr == nil {
			m.receiver.finish()
		}
		m.close()
	}
	return m.wasOpen, m.disconnectErr
}

// Close is Disconnect without options, within the channel's call timeout.
func (m *Mailbox) Close() error {
	_, err := m.Disconnect(context.Background(), DisconnectOptions{})
	return err
}

// Resumption is what is needed to take up a mailbox again; see [Sidecar.Attach].
type Resumption struct {
	MailboxID     string
	AfterSequence uint64
}

// Detach lets go of the mailbox without ending it: within the lease, [Sidecar.Attach] takes it up again with what this
// gives, also in another process.
func (m *Mailbox) Detach() Resumption {
	m.disconnecting.Do(func() {})
	m.close()
	return Resumption{MailboxID: m.id, AfterSequence: m.LastSequence()}
}

// close ends what the mailbox does on this side, and waits for it.
func (m *Mailbox) close() {
	if m.gone.Swap(true) {
		return
	}
	m.receiver.close()
	m.letGo()
	m.cancel()
	m.mu.Lock()
	senders := m.senders
	m.senders = map[*Sender]struct{}{}
	m.mu.Unlock()
	for sender := range senders {
		sender.Abort()
	}
	m.tasks.wait()
	m.onClosed()
}

// letGo: there is no mailbox any more that something could be done for in the background.
func (m *Mailbox) letGo() {
	if m.acknowledger != nil {
		m.acknowledger.close()
	}
	m.keepAlive.close()
}

// notify is called by the receiver.
func (m *Mailbox) notify(notice Notice) {
	switch told := notice.(type) {
	case attachedTo:
		m.mu.Lock()
		m.privateGroup = told.privateGroup
		m.mu.Unlock()
		notice = told.Attached
	case Ended:
		if told.Err != nil && !livesOn(told.Err) {
			m.letGo()
		}
	}
	if m.onNotice != nil {
		m.tasks.callback(func() { m.onNotice(notice) })
	}
}

// use says that the mailbox is used by a call; it fails when this side has let go of it.
func (m *Mailbox) use() error {
	if m.gone.Load() {
		return localSpreadError(IllegalSession, "the mailbox is disconnected", nil)
	}
	m.keepAlive.used()
	return nil
}

func mailboxCall[Request, Response any](
	ctx context.Context,
	m *Mailbox,
	method func(context.Context, Request, ...grpc.CallOption) (Response, error),
	request Request,
) (Response, error) {
	if err := m.use(); err != nil {
		var none Response
		return none, err
	}
	return call(ctx, m.rpc, method, request)
}

func fetchInfo(ctx context.Context, r *rpc, id string) (*MailboxInfo, error) {
	answer, err := call(ctx, r, r.stub.GetMailbox, &pb.GetMailboxRequest{MailboxId: id})
	if err != nil {
		return nil, err
	}
	if answer.GetMailbox() == nil {
		return nil, incompleteAnswer("GetMailbox", "mailbox")
	}
	return toInfo(answer.GetMailbox()), nil
}
