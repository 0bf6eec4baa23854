package spreadsidecar

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
)

// DefaultTarget is the sidecar when none is named.
const DefaultTarget = "127.0.0.1:4813"

// Options says how to reach a sidecar. Without Target, environment variables are the defaults of Target, TLS, TokenSource
// and Insecure: SPREAD_SIDECAR_TARGET, SPREAD_SIDECAR_TLS and others, SPREAD_SIDECAR_TOKEN_FILE, SPREAD_SIDECAR_INSECURE.
// The project's docs/client-environment.md has the rules. With Target, the environment is not used.
type Options struct {
	// Target is host:port, unix:/path, or another form of the project's clients/README.md. Default: the variable
	// SPREAD_SIDECAR_TARGET, else [DefaultTarget].
	Target string
	// TLS, when not nil, is what TLS is made with. See [TLSFromPEM] for certificates in PEM. It replaces all variables
	// SPREAD_SIDECAR_TLS*.
	TLS *tls.Config
	// Token is the client token, sent with every call as "authorization: Bearer <token>". Never sent, and refused here,
	// where others could read it; see Insecure.
	Token string
	// TokenSource, in place of Token, is asked before each call, so that a token can change: a Receive whose token is
	// withdrawn attaches again with what it gives then, for as long as the mailbox's lease.
	TokenSource func(ctx context.Context) (string, error)
	// Insecure: send tokens also without TLS to another machine, as where a mesh does the TLS. False counts as not set.
	Insecure bool
	// Headers are sent with every call.
	Headers map[string]string
	// CallTimeout is for calls whose context has no deadline. Default: 30 s; negative: none.
	CallTimeout time.Duration
	// ConnectionKeepAlive: a connection that carries calls and is silent for so long is asked for a sign of life; if none
	// comes within half of it, the connection is made anew. Default: 10 s, which is the least that gRPC takes.
	ConnectionKeepAlive time.Duration
	// DialOptions are further options of the gRPC channel.
	DialOptions []grpc.DialOption
}

// NameConflict says what to do when a private name is in use.
type NameConflict string

const (
	// FailOnConflict: Connect fails with ErrRejectNotUnique. The default.
	FailOnConflict NameConflict = "FAIL"
	// SuffixOnConflict: variants of the name with a number are tried.
	SuffixOnConflict NameConflict = "SUFFIX"
)

// AuthMethod says how the sidecar shows itself to the daemon.
type AuthMethod string

const (
	// AuthNull is Spread's method NULL: no credential.
	AuthNull AuthMethod = "NULL"
	// AuthIP is Spread's method IP: the daemon looks at the address that the sidecar connects from.
	AuthIP AuthMethod = "IP"
)

// AcknowledgementMode says what becomes of an event once it was given.
type AcknowledgementMode string

const (
	// AckAuto: giving an event acknowledges it. The default.
	AckAuto AcknowledgementMode = "AUTO"
	// AckExplicit: an event is kept until it is acknowledged.
	AckExplicit AcknowledgementMode = "EXPLICIT"
)

// OverflowPolicy says what the sidecar does when a mailbox's queue is full.
type OverflowPolicy string

const (
	// OverflowPause: stop reading from the daemon until there is room.
	OverflowPause OverflowPolicy = "PAUSE"
	// OverflowDisconnect: end the mailbox.
	OverflowDisconnect OverflowPolicy = "DISCONNECT"
)

// NameLoss says what a mailbox that reconnects does when another session keeps holding its private name.
type NameLoss string

const (
	// EndOnNameLoss: the mailbox ends. The default.
	EndOnNameLoss NameLoss = "END"
	// SuffixOnNameLoss: variants of the name with a number are tried.
	SuffixOnNameLoss NameLoss = "SUFFIX"
	// DaemonMadeOnNameLoss: the daemon makes a name.
	DaemonMadeOnNameLoss NameLoss = "DAEMON_MADE"
)

// ReconnectOptions says how a lost daemon connection is made anew.
type ReconnectOptions struct {
	// GiveUpAfter is how long after the loss the mailbox ends if that did not succeed. Default: the sidecar's, 1 minute.
	GiveUpAfter time.Duration
	// OnNameLoss is what to do when another session keeps holding the private name. Default: EndOnNameLoss.
	OnNameLoss NameLoss
	// QueueMulticasts: messages that are sent meanwhile wait in the sidecar. Else they are refused with ErrReconnecting.
	QueueMulticasts bool
}

// SoftLimit says how long a queue may be nearly full before its mailbox is ended, with ErrSlowConsumer.
type SoftLimit struct {
	// Fraction is the soft bound, as a part of the queue's bounds: above 0, at most 1. 0 = the sidecar's default.
	Fraction float64
	// Time is how long the queue may stay above it without a break. Required if the sidecar has no default.
	Time time.Duration
}

// QueueOptions has the bounds of a mailbox's event queue in the sidecar that are asked for. What is zero takes the
// sidecar's default.
type QueueOptions struct {
	// MaxEvents is the most events that may wait.
	MaxEvents uint64
	// MaxBytes is the most bytes that may wait, counted as encoded events.
	MaxBytes uint64
	// ReplayBytes, with AckAuto: bytes of events kept after they were handed out.
	ReplayBytes uint64
	// Overflow is what happens at a bound.
	Overflow OverflowPolicy
	// SoftLimit is a bound that the queue may be above only for a time.
	SoftLimit *SoftLimit
}

// ReceiveOptions says how a mailbox receives on this side.
type ReceiveOptions struct {
	// AutoReceive: begin to receive at once, not at the first Receive or Events.
	AutoReceive bool
	// MaxBufferedEvents: nothing more is read from the stream when so many events wait on this side. Default: 4096.
	MaxBufferedEvents int
	// MaxBufferedBytes: the same, about so many bytes of events. Default: 4 MiB.
	MaxBufferedBytes int
	// ManualAcknowledgement, with AckExplicit: only Acknowledge acknowledges. Else an event is acknowledged when the
	// application asks for the one after it, and so had the time to be done with it: right for one loop, wrong for
	// several that receive at once.
	ManualAcknowledgement bool
	// MaxOutstandingEvents, with AckExplicit: most events given and not yet acknowledged. 0 = no bound.
	MaxOutstandingEvents uint64
	// MaxOutstandingBytes, with AckExplicit: most bytes of events given and not yet acknowledged. 0 = no bound.
	MaxOutstandingBytes uint64
	// HeartbeatInterval: the sidecar gives a sign of life on an idle stream this often; a stream that is silent for three
	// times as long counts as broken. 100 ms to 1 h. Default: 10 s; negative: none.
	HeartbeatInterval time.Duration
	// NoKeepAlive: let the sidecar end the mailbox after its lease while the application neither receives nor calls.
	// Else this package keeps the mailbox by itself.
	NoKeepAlive bool
	// OnNotice is told what happens to the mailbox besides its events; see [Notice]. Called in order, by one goroutine;
	// what is received waits until it returns. It may close the mailbox, but that is quicker from another goroutine.
	OnNotice func(Notice)
}

// MailboxOptions says how to open a mailbox. The zero value is a mailbox at the sidecar's default daemon, with a name
// that the daemon makes.
type MailboxOptions struct {
	ReceiveOptions
	// SpreadName is the daemon: 4803, 4803@host, or the path of a Unix socket. Default: the sidecar's.
	SpreadName string
	// PrivateName is at most 10 characters of $ to ~. Default: the daemon makes one.
	PrivateName string
	// OnNameConflict is what to do when the name is in use. Default: FailOnConflict.
	OnNameConflict NameConflict
	// Priority is 0 or 1; it has no effect in Spread 5.
	Priority int
	// NoMembership: receive no membership messages.
	NoMembership bool
	// Auth is how the sidecar shows itself to the daemon. Default: the sidecar's, NULL.
	Auth AuthMethod
	// Lease is how long the mailbox lives while nothing uses it. Default: the sidecar's, 30 s.
	Lease time.Duration
	// EndWithConnection ends the mailbox 500 ms after this side has closed its connection, as when the process ends or is
	// killed, and not after the lease.
	EndWithConnection bool
	// Reconnect: make a lost daemon connection again, and tell it by the events ConnectionLost and ConnectionRestored.
	// Default: the mailbox ends with its connection.
	Reconnect *ReconnectOptions
	// Queue bounds the event queue in the sidecar. Default: the sidecar's bounds.
	Queue *QueueOptions
	// Acknowledgement is AckAuto, the default, or AckExplicit.
	Acknowledgement AcknowledgementMode
}

// AttachOptions says how to take up a mailbox that exists.
type AttachOptions struct {
	ReceiveOptions
	// AfterSequence: receive begins with the event after this one. Default: after the last one that the sidecar gave to
	// anybody (AckAuto) or that was acknowledged (AckExplicit).
	AfterSequence *uint64
}
