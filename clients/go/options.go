package spreadsidecar

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
)

// DefaultTarget is the default target.
const DefaultTarget = "127.0.0.1:4813"

// Options are the options of a channel to a sidecar. If Target is not set, environment variables are the
// defaults of Target, TLS, TokenSource and Insecure. The project's docs/client-environment.md lists these
// variables and their rules. If Target is set, the environment has no effect.
type Options struct {
	// Target is host:port, unix:/path, or another form of the project's clients/README.md. Default: the
	// environment variable SPREAD_SIDECAR_TARGET, or [DefaultTarget] if the variable is not set.
	Target string
	// TLS is the TLS configuration. Default: no TLS. For PEM certificates, use [TLSFromPEM]. TLS replaces all
	// SPREAD_SIDECAR_TLS* variables.
	TLS *tls.Config
	// Token is the client token, sent with every call as "authorization: Bearer <token>". New rejects a
	// channel on which others could read the token; see Insecure.
	Token string
	// TokenSource returns the token, instead of Token. The client calls it before each call, so that the
	// token can change. If the sidecar revokes the token of a Receive stream, the client gets a new token and
	// attaches again, within the mailbox's lease.
	TokenSource func(ctx context.Context) (string, error)
	// Insecure allows the client to send tokens to another machine without TLS, for example because a service
	// mesh adds TLS. False counts as not set.
	Insecure bool
	// Headers are gRPC request headers of every call.
	Headers map[string]string
	// CallTimeout is the timeout of calls whose context has no deadline. Default: 30 s. Negative: no timeout.
	CallTimeout time.Duration
	// ConnectionKeepAlive is the keepalive interval of a connection with active calls. After this time without
	// data, the client sends a PING. If no response arrives within half of the interval, the client reconnects.
	// Default: 10 s, which is gRPC's minimum.
	ConnectionKeepAlive time.Duration
	// DialOptions are other options of the gRPC channel.
	DialOptions []grpc.DialOption
}

// NameConflict states what to do if a private name is in use.
type NameConflict string

const (
	// FailOnConflict makes Connect fail with ErrRejectNotUnique. This is the default.
	FailOnConflict NameConflict = "FAIL"
	// SuffixOnConflict makes the sidecar try variants of the name with a number.
	SuffixOnConflict NameConflict = "SUFFIX"
)

// AuthMethod is the method by which the sidecar authenticates to the daemon.
type AuthMethod string

const (
	// AuthNull is Spread's method NULL: no credential.
	AuthNull AuthMethod = "NULL"
	// AuthIP is Spread's method IP: the daemon checks the sidecar's IP address.
	AuthIP AuthMethod = "IP"
)

// AcknowledgementMode states what acknowledges an event.
type AcknowledgementMode string

const (
	// AckAuto: the delivery of an event to the transport acknowledges the event. This is the default.
	AckAuto AcknowledgementMode = "AUTO"
	// AckExplicit: the sidecar retains an event until the client acknowledges it.
	AckExplicit AcknowledgementMode = "EXPLICIT"
)

// OverflowPolicy states what the sidecar does when a mailbox's queue is full.
type OverflowPolicy string

const (
	// OverflowPause: the sidecar stops reading from the daemon until the queue has space.
	OverflowPause OverflowPolicy = "PAUSE"
	// OverflowDisconnect: the sidecar ends the mailbox.
	OverflowDisconnect OverflowPolicy = "DISCONNECT"
)

// NameLoss states what a reconnecting mailbox does if its private name is in use by another session.
type NameLoss string

const (
	// EndOnNameLoss: the mailbox ends. This is the default.
	EndOnNameLoss NameLoss = "END"
	// SuffixOnNameLoss: the sidecar tries variants of the name with a number.
	SuffixOnNameLoss NameLoss = "SUFFIX"
	// DaemonMadeOnNameLoss: the daemon generates a name.
	DaemonMadeOnNameLoss NameLoss = "DAEMON_MADE"
)

// ReconnectOptions states how the sidecar reconnects to a daemon.
type ReconnectOptions struct {
	// GiveUpAfter is the maximum time to reconnect after the daemon connection is lost. After this time, the
	// mailbox ends. Default: the sidecar's default, 1 minute.
	GiveUpAfter time.Duration
	// OnNameLoss states what to do if the private name is in use by another session. Default: EndOnNameLoss.
	OnNameLoss NameLoss
	// QueueMulticasts makes the sidecar queue messages while it reconnects. Otherwise, it rejects them with
	// ErrReconnecting.
	QueueMulticasts bool
}

// SoftLimit is the soft limit of a queue. A mailbox that exceeds it for too long ends with ErrSlowConsumer.
type SoftLimit struct {
	// Fraction is the soft limit as a fraction of the queue's limits: above 0, at most 1. 0 means the
	// sidecar's default.
	Fraction float64
	// Time is the maximum time that the queue may continuously exceed the soft limit. Required if the sidecar
	// has no default.
	Time time.Duration
}

// QueueOptions has the requested limits of a mailbox's delivery queue in the sidecar. For a zero value, the
// sidecar uses its default.
type QueueOptions struct {
	// MaxEvents is the maximum number of queued events.
	MaxEvents uint64
	// MaxBytes is the maximum size of the queued events, as encoded.
	MaxBytes uint64
	// ReplayBytes is the replay window with AckAuto: the size of the delivered events that the sidecar retains.
	ReplayBytes uint64
	// Overflow states what the sidecar does at a limit.
	Overflow OverflowPolicy
	// SoftLimit is a limit that the queue may exceed for some time.
	SoftLimit *SoftLimit
}

// ReceiveOptions states how this client receives the events of a mailbox.
type ReceiveOptions struct {
	// AutoReceive makes the client receive immediately, instead of at the first Receive or Events.
	AutoReceive bool
	// MaxBufferedEvents is the maximum number of events that this client buffers for the application. When
	// the buffer is full, the stream pauses. Default: 4096.
	MaxBufferedEvents int
	// MaxBufferedBytes is the approximate maximum size of events that this client buffers. When the buffer is
	// full, the stream pauses. Default: 4 MiB.
	MaxBufferedBytes int
	// ManualAcknowledgement is for AckExplicit. If it is set, only Acknowledge acknowledges events.
	// Otherwise, the client acknowledges an event when the application asks for the next event. This suits
	// one receiving loop, but not several loops at the same time.
	ManualAcknowledgement bool
	// MaxOutstandingEvents is for AckExplicit: the maximum number of events that are delivered but not
	// acknowledged. 0 means no limit.
	MaxOutstandingEvents uint64
	// MaxOutstandingBytes is for AckExplicit: the maximum size of events that are delivered but not
	// acknowledged. 0 means no limit.
	MaxOutstandingBytes uint64
	// HeartbeatInterval is the interval of the sidecar's heartbeats on an idle stream. If no frame arrives
	// for three intervals, the client treats the stream as broken. 100 ms to 1 h. Default: 10 s. Negative: no
	// heartbeats.
	HeartbeatInterval time.Duration
	// If NoKeepAlive is set, the client does not renew the lease while the application neither receives
	// events nor makes calls. The sidecar then ends the mailbox after the lease.
	NoKeepAlive bool
	// OnNotice gets notifications that are not events; see [Notice]. One goroutine calls OnNotice, in order.
	// Events wait until OnNotice returns. OnNotice may close the mailbox, but a different goroutine closes it
	// faster.
	OnNotice func(Notice)
}

// MailboxOptions states how to open a mailbox. The zero value opens a mailbox at the sidecar's default
// daemon, with a name that the daemon generates.
type MailboxOptions struct {
	ReceiveOptions
	// SpreadName is the daemon: 4803, 4803@host, or the path of a Unix socket. Default: the sidecar's default
	// daemon.
	SpreadName string
	// PrivateName is the private name: at most 10 characters from $ to ~. Default: the daemon generates one.
	PrivateName string
	// OnNameConflict states what to do if the name is in use. Default: FailOnConflict.
	OnNameConflict NameConflict
	// Priority is 0 or 1. It has no effect in Spread 5.
	Priority int
	// NoMembership means that the mailbox receives no membership messages.
	NoMembership bool
	// Auth is the method by which the sidecar authenticates to the daemon. Default: the sidecar's default,
	// NULL.
	Auth AuthMethod
	// Lease is the time that the mailbox lives without a receiver and without calls. Default: the sidecar's
	// default, 30 s.
	Lease time.Duration
	// EndWithConnection makes the mailbox end 500 ms after the client's connection closes, for example when
	// the process is killed. Otherwise, the mailbox ends after the lease.
	EndWithConnection bool
	// Reconnect makes the sidecar reconnect after the daemon connection is lost. The mailbox then receives
	// the events ConnectionLost and ConnectionRestored. Default: nil, which ends the mailbox when its
	// connection is lost.
	Reconnect *ReconnectOptions
	// Queue has the limits of the delivery queue in the sidecar. Default: the limits of the sidecar's
	// configuration.
	Queue *QueueOptions
	// Acknowledgement is AckAuto, the default, or AckExplicit.
	Acknowledgement AcknowledgementMode
}

// AttachOptions states how to attach to an existing mailbox.
type AttachOptions struct {
	ReceiveOptions
	// AfterSequence is the sequence after which Receive starts. Default: after the last delivered event
	// (AckAuto) or the last acknowledged event (AckExplicit).
	AfterSequence *uint64
}
