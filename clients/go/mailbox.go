package spreadsidecar

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/spread-sidecar/spread-sidecar/clients/go/gen/spreadsidecarv1"
	"google.golang.org/grpc"
)

// Mailbox is a connection to a Spread daemon that the sidecar owns. Mailboxes are independent of each other.
// All failures are of type [*SpreadError].
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
	// ctx ends the background work of the mailbox.
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
		m.acknowledger = newAcknowledger(m.ctx, &m.tasks, r.security.tokenMayChange)
		m.acknowledger.send = func(ctx context.Context, upTo uint64) error {
			_, err := m.Acknowledge(ctx, upTo)
			return err
		}
		m.acknowledger.onRefused = m.receiver.fail
	}
	if !options.NoKeepAlive {
		renew := func(ctx context.Context) { _, _ = m.Poll(ctx) } // K1
		m.keepAlive = newKeepAlive(init.limits.Lease)
		m.keepAlive.begin(m.ctx, &m.tasks, m.receiver.attached.Load, renew)
	}
	if options.AutoReceive {
		m.receiver.start()
	}
	return m
}

// ID returns the mailbox ID. Keep it secret: its holder can use the mailbox.
func (m *Mailbox) ID() string { return m.id }

// PrivateGroup returns the private group from the daemon, such as #alice#node1. Only this mailbox receives
// messages to this group. The private group can change after a [*ConnectionRestored].
func (m *Mailbox) PrivateGroup() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.privateGroup
}

// Daemon returns the Spread name of the daemon. The daemon can change after a [*ConnectionRestored].
func (m *Mailbox) Daemon() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.daemon
}

// DaemonVersion is the release of the daemon.
func (m *Mailbox) DaemonVersion() VersionTriple { return m.daemonVersion }

// Limits has the limits of the mailbox.
func (m *Mailbox) Limits() MailboxLimits { return m.limits }

// Acknowledgement is the acknowledgement mode.
func (m *Mailbox) Acknowledgement() AcknowledgementMode { return m.acknowledgement }

// LastSequence returns the sequence of the last event that the application received. 0 if none.
func (m *Mailbox) LastSequence() uint64 { return m.lastTaken.Load() }

// Join joins a group (SP_join). No effect if the mailbox is already a member.
func (m *Mailbox) Join(ctx context.Context, group string) error {
	_, err := m.join(ctx, group, false)
	return err
}

// JoinAndAwaitView joins a group, waits for the first view that contains this mailbox, and returns the view.
// The mailbox also receives this view as an event.
func (m *Mailbox) JoinAndAwaitView(ctx context.Context, group string) (*ViewMessage, error) {
	answer, err := m.join(ctx, group, true)
	if err != nil {
		return nil, err
	}
	if answer.GetView() == nil {
		return nil, invalidResponse("Join", "has no view")
	}
	return toView(EventInfo{}, answer.GetView()), nil
}

func (m *Mailbox) join(ctx context.Context, group string, await bool) (*pb.JoinResponse, error) {
	if err := checkGroup(group); err != nil {
		return nil, err
	}
	return mailboxCall(ctx, m, m.rpc.stub.Join, &pb.JoinRequest{MailboxId: m.id, Group: group, AwaitView: await})
}

// Leave leaves a group (SP_leave). No effect if the mailbox is not a member.
func (m *Mailbox) Leave(ctx context.Context, group string) error {
	_, err := m.leave(ctx, group, false)
	return err
}

// LeaveAndAwaitView leaves a group and waits for the self-leave, which the mailbox also receives as an event.
// It returns nil if the mailbox was not a member.
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

// Multicast sends a message to all members of a group, or to a private group (SP_multicast). It returns the
// size of the payload in bytes after the daemon connection accepted the message. The sender does not need to
// be a member of the group. The Outcome of an error says whether the message may have been sent.
//
// service is one of UnreliableMess to SafeMess, optionally with SelfDiscard (|). messageType is the
// application's own number, -32768 to 32767. To send headers with the message, pass [WithHeaders].
func (m *Mailbox) Multicast(
	ctx context.Context, service Service, group string, payload []byte, messageType int, options ...MessageOption,
) (int, error) {
	return m.MultigroupMulticast(ctx, service, []string{group}, payload, messageType, options...)
}

// MultigroupMulticast sends one message to all members of several groups (SP_multigroup_multicast). A mailbox
// that is in several of these groups receives the message once. In all other respects, it works like
// [Mailbox.Multicast].
func (m *Mailbox) MultigroupMulticast(
	ctx context.Context, service Service, groups []string, payload []byte, messageType int, options ...MessageOption,
) (int, error) {
	kind, err := checkOutgoing(service, groups, messageType)
	if err != nil {
		return 0, err
	}
	headers, err := headersOf(options)
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
			Headers:     headers,
		},
	})
	return int(answer.GetBytesSent()), err
}

// Sender opens a stream that sends many messages, for rates that one call per message cannot reach. The
// messages of the stream keep their order. Call Flush before a call of this mailbox that must come after
// these messages. The context limits only the opening of the sender, not its life.
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

// Info returns state and counters of the mailbox in the sidecar.
func (m *Mailbox) Info(ctx context.Context) (*MailboxInfo, error) {
	if err := m.use(); err != nil {
		return nil, err
	}
	return fetchInfo(ctx, m.rpc, m.id)
}

// DisconnectOptions are the options of [Mailbox.Disconnect].
type DisconnectOptions struct {
	// LeaveGroupsFirst means: leave all groups first, so that other members see LEAVE instead of DISCONNECT.
	LeaveGroupsFirst bool
	// Abort means: close the daemon connection without a disconnect message (SP_kill), for failure tests.
	Abort bool
}

// Disconnect ends the mailbox (SP_disconnect). It returns true if this call ended the mailbox. It returns
// false if the mailbox had already ended, or if the sidecar is shutting down or unreachable. The application
// can still receive the events that arrived before the call. The client releases its resources even if the
// call fails. In that case, the sidecar ends the mailbox when the lease expires. A second call returns the
// result of the first call.
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
		ended := m.inbox.failure() // C3
		if (ended != nil && !isMailboxAlive(ended)) || (ctx.Err() == nil && isGone(m.disconnectErr)) {
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

// Close calls Disconnect without options. Its timeout is the channel's call timeout.
func (m *Mailbox) Close() error {
	_, err := m.Disconnect(context.Background(), DisconnectOptions{})
	return err
}

// Resumption has the values to attach to a mailbox again; see [Sidecar.Attach].
type Resumption struct {
	MailboxID     string
	AfterSequence uint64
}

// Detach detaches from the mailbox without ending it. To resume the mailbox, pass the returned values to
// [Sidecar.Attach] within the lease. Another process can do this too.
func (m *Mailbox) Detach() Resumption {
	m.disconnecting.Do(func() {})
	m.close()
	return Resumption{MailboxID: m.id, AfterSequence: m.LastSequence()}
}

// close stops the background work of the mailbox and waits for its end.
func (m *Mailbox) close() {
	if m.gone.Swap(true) {
		return
	}
	m.receiver.close()
	m.stopBackgroundWork()
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

// stopBackgroundWork stops the background work of the mailbox.
func (m *Mailbox) stopBackgroundWork() {
	if m.acknowledger != nil {
		m.acknowledger.close()
	}
	m.keepAlive.close()
}

// notify is called by the receiver.
func (m *Mailbox) notify(notice Notice) {
	switch event := notice.(type) {
	case attachedTo:
		m.mu.Lock()
		m.privateGroup = event.privateGroup
		m.mu.Unlock()
		notice = event.Attached
	case Ended:
		if event.Err != nil && !isMailboxAlive(event.Err) {
			m.stopBackgroundWork()
		}
	}
	if m.onNotice != nil {
		m.tasks.callback(func() { m.onNotice(notice) })
	}
}

// use records that a call uses the mailbox. It fails after a disconnect or detach.
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
		return nil, invalidResponse("GetMailbox", "has no mailbox")
	}
	return toInfo(answer.GetMailbox()), nil
}
