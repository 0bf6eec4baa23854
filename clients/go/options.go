package spreadsidecar

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
)

// DefaultTarget is the default target.
const DefaultTarget = "127.0.0.1:4813"

// Options are the options of a channel to a sidecar. Without Target, environment variables are the defaults
// of Target, TLS, TokenSource and Insecure: SPREAD_SIDECAR_TARGET, SPREAD_SIDECAR_TLS and others,
// SPREAD_SIDECAR_TOKEN_FILE, SPREAD_SIDECAR_INSECURE. The project's docs/client-environment.md has the rules.
// With Target, the environment has no effect.
type Options struct {
	// Target is host:port, unix:/path, or another form of the project's clients/README.md. Default: the variable
	// SPREAD_SIDECAR_TARGET, otherwise [DefaultTarget].
	Target string
	// TLS is the TLS configuration. Default: no TLS. For PEM certificates, use [TLSFromPEM]. It replaces all
	// variables SPREAD_SIDECAR_TLS*.
	TLS *tls.Config
	// Token is the client token, sent with every call as "authorization: Bearer <token>". A channel on which
	// others could read the token is rejected; see Insecure.
	Token string
	// TokenSource, instead of Token, is called before each call, so that the token can change. If the sidecar
	// revokes the token of a Receive stream, the client attaches again with the new token within the mailbox's
	// lease.
	TokenSource func(ctx context.Context) (string, error)
	// Insecure: send tokens without TLS to another machine, for example if a service mesh adds TLS. False counts
	// as not set.
	Insecure bool
	// Headers are sent with every call.
	Headers map[string]string
	// CallTimeout is the timeout of calls whose context has no deadline. Default: 30 s. Negative: no timeout.
	CallTimeout time.Duration
	// ConnectionKeepAlive is the keepalive interval of a connection with active calls. After this time without
	// data, the client sends a PING. If no response arrives within half of the interval, the client reconnects.
	// Default: 10 s, which is gRPC's minimum.
	ConnectionKeepAlive time.Duration
	// DialOptions are further options of the gRPC channel.
	DialOptions []grpc.DialOption
}

// NameConflict is what to do if a private name is in use.
type NameConflict string

const (
	// FailOnConflict: Connect fails with ErrRejectNotUnique. The default.
	FailOnConflict NameConflict = "FAIL"
	// SuffixOnConflict: the sidecar tries variants of the name with a number.
	SuffixOnConflict NameConflict = "SUFFIX"
)

// AuthMethod is how the sidecar authenticates to the daemon.
type AuthMethod string

const (
	// AuthNull is Spread's method NULL: no credential.
	AuthNull AuthMethod = "NULL"
	// AuthIP is Spread's method IP: the daemon checks the sidecar's IP address.
	AuthIP AuthMethod = "IP"
)

// AcknowledgementMode is how events are acknowledged.
type AcknowledgementMode string

const (
	// AckAuto: the delivery of an event acknowledges it. The default.
	AckAuto AcknowledgementMode = "AUTO"
	// AckExplicit: the sidecar retains an event until it is acknowledged.
	AckExplicit AcknowledgementMode = "EXPLICIT"
)

// OverflowPolicy is what the sidecar does when a mailbox's queue is full.
type OverflowPolicy string

const (
	// OverflowPause: stop reading from the daemon until there is space.
	OverflowPause OverflowPolicy = "PAUSE"
	// OverflowDisconnect: end the mailbox.
	OverflowDisconnect OverflowPolicy = "DISCONNECT"
)

// NameLoss is what a reconnecting mailbox does if another session holds its private name.
type NameLoss string

const (
	// EndOnNameLoss: the mailbox ends. The default.
	EndOnNameLoss NameLoss = "END"
	// SuffixOnNameLoss: the sidecar tries variants of the name with a number.
	SuffixOnNameLoss NameLoss = "SUFFIX"
	// DaemonMadeOnNameLoss: the daemon generates a name.
	DaemonMadeOnNameLoss NameLoss = "DAEMON_MADE"
)

// ReconnectOptions is how the sidecar reconnects to a daemon.
type ReconnectOptions struct {
	// GiveUpAfter is the maximum time to reconnect after a loss. Then the mailbox ends. Default: the sidecar's,
	// 1 minute.
	GiveUpAfter time.Duration
	// OnNameLoss is what to do if another session holds the private name. Default: EndOnNameLoss.
	OnNameLoss NameLoss
	// QueueMulticasts: queue messages in the sidecar during a reconnection. Otherwise they are rejected with
	// ErrReconnecting.
	QueueMulticasts bool
}

// SoftLimit is the soft limit of a queue. A mailbox that exceeds it for too long ends with ErrSlowConsumer.
type SoftLimit struct {
	// Fraction is the soft limit as a fraction of the queue's limits: above 0, at most 1. 0: the sidecar's
	// default.
	Fraction float64
	// Time is the maximum time that the queue may continuously exceed the soft limit. Required if the sidecar
	// has no default.
	Time time.Duration
}

// QueueOptions has the requested limits of a mailbox's delivery queue in the sidecar. Zero values take the
// sidecar's default.
type QueueOptions struct {
	// MaxEvents is the maximum number of queued events.
	MaxEvents uint64
	// MaxBytes is the maximum size of the queued events, as encoded.
	MaxBytes uint64
	// ReplayBytes is the replay window with AckAuto: the size of the delivered events that the sidecar retains.
	ReplayBytes uint64
	// Overflow is what happens at a limit.
	Overflow OverflowPolicy
	// SoftLimit is a limit that the queue may exceed for a time.
	SoftLimit *SoftLimit
}

// ReceiveOptions is how this client receives the events of a mailbox.
type ReceiveOptions struct {
	// AutoReceive: start to receive immediately instead of at the first Receive or Events.
	AutoReceive bool
	// MaxBufferedEvents is the maximum number of events that wait for the application in this client. Then the
	// stream pauses. Default: 4096.
	MaxBufferedEvents int
	// MaxBufferedBytes is the approximate maximum size of events that wait in this client. Then the stream
	// pauses. Default: 4 MiB.
	MaxBufferedBytes int
	// ManualAcknowledgement, with AckExplicit: only Acknowledge acknowledges events. Otherwise the client
	// acknowledges an event when the application asks for the next one. That suits one loop, but not several
	// that receive at the same time.
	ManualAcknowledgement bool
	// MaxOutstandingEvents, with AckExplicit: maximum number of events that are delivered but not acknowledged.
	// 0: no limit.
	MaxOutstandingEvents uint64
	// MaxOutstandingBytes, with AckExplicit: maximum size of events that are delivered but not acknowledged. 0:
	// no limit.
	MaxOutstandingBytes uint64
	// HeartbeatInterval is the interval of the sidecar's heartbeats on an idle stream. A stream without any
	// frame for three intervals counts as broken. 100 ms to 1 h. Default: 10 s. Negative: no heartbeats.
	HeartbeatInterval time.Duration
	// NoKeepAlive: do not renew the lease while the application neither receives nor calls. The sidecar then
	// ends the mailbox after the lease.
	NoKeepAlive bool
	// OnNotice gets notifications that are not events; see [Notice]. One goroutine calls it, in order. Events
	// wait until it returns. It may close the mailbox, but another goroutine closes it faster.
	OnNotice func(Notice)
}

// MailboxOptions is how to open a mailbox. The zero value opens a mailbox at the sidecar's default daemon,
// with a name that the daemon generates.
type MailboxOptions struct {
	ReceiveOptions
	// SpreadName is the daemon: 4803, 4803@host, or the path of a Unix socket. Default: the sidecar's default
	// daemon.
	SpreadName string
	// PrivateName is at most 10 characters from $ to ~. Default: the daemon generates one.
	PrivateName string
	// OnNameConflict is what to do if the name is in use. Default: FailOnConflict.
	OnNameConflict NameConflict
	// Priority is 0 or 1. It has no effect in Spread 5.
	Priority int
	// NoMembership: receive no membership messages.
	NoMembership bool
	// Auth is how the sidecar authenticates to the daemon. Default: the sidecar's, NULL.
	Auth AuthMethod
	// Lease is the time that the mailbox lives without a receiver and without calls. Default: the sidecar's, 30
	// s.
	Lease time.Duration
	// EndWithConnection: end the mailbox 500 ms after the client's connection closes, for example when the
	// process ends or is killed, instead of after the lease.
	EndWithConnection bool
	// Reconnect: reconnect after the loss of the daemon connection, and report it by the events ConnectionLost
	// and ConnectionRestored. Default: the mailbox ends with its connection.
	Reconnect *ReconnectOptions
	// Queue has the limits of the delivery queue in the sidecar. Default: the sidecar's.
	Queue *QueueOptions
	// Acknowledgement is AckAuto, the default, or AckExplicit.
	Acknowledgement AcknowledgementMode
}

// AttachOptions is how to attach to an existing mailbox.
type AttachOptions struct {
	ReceiveOptions
	// AfterSequence: Receive starts after this sequence. Default: after the last delivered event (AckAuto) or
	// the last acknowledged event (AckExplicit).
	AfterSequence *uint64
}
