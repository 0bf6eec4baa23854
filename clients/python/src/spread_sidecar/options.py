"""Options to connect, to attach and to send. All options are optional. All times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Awaitable, Callable, Literal, Mapping, Optional, Sequence, TypedDict, Union

from .events import SpreadEvent
from .notices import Notice

#: The target if neither the program nor the environment sets one.
DEFAULT_TARGET = "127.0.0.1:4813"

#: A token, or a function that returns the token. The client calls the function before each call.
TokenSource = Union[str, Callable[[], str]]
#: For ``spread_sidecar.aio``: the function may be a coroutine function.
AsyncTokenSource = Union[str, Callable[[], Union[str, Awaitable[str]]]]

#: A payload: bytes, or text that is sent as UTF-8.
Payload = Union[bytes, bytearray, memoryview, str]


@dataclass(frozen=True)
class TlsOptions:
    """TLS options. All options are optional. Certificates and keys are in PEM, as text or bytes."""

    #: Certificate authorities for the sidecar's certificate. Default: the authorities that gRPC trusts.
    ca: Optional[Union[str, bytes]] = None
    #: The client certificate, if the sidecar requires one. Requires ``key``.
    cert: Optional[Union[str, bytes]] = None
    #: The private key of ``cert``.
    key: Optional[Union[str, bytes]] = None
    #: The expected name in the sidecar's certificate. Default: the host of the target.
    server_name: Optional[str] = None


@dataclass(frozen=True)
class SoftLimit:
    """The soft limit of a queue. A mailbox that exceeds it for too long ends with reason SLOW_CONSUMER."""

    #: The soft limit as a fraction of the queue's limits: above 0, at most 1. 0 means the sidecar's default.
    fraction: float = 0.0
    #: Maximum time that the queue may continuously exceed the soft limit. Required if the sidecar has no
    #: default. Unit: s.
    time: Optional[float] = None


@dataclass(frozen=True)
class QueueOptions:
    """Limits of the delivery queue in the sidecar. A limit that is not set takes the sidecar's default."""

    #: Maximum number of queued events.
    max_events: Optional[int] = None
    #: Maximum size of the queued events, as encoded. Unit: bytes.
    max_bytes: Optional[int] = None
    #: Replay window in AUTO mode: size of the delivered events that the sidecar retains. Unit: bytes.
    replay_bytes: Optional[int] = None
    #: What the sidecar does at a limit: stop reading from the daemon, or end the mailbox.
    overflow: Optional[Literal["PAUSE", "DISCONNECT"]] = None
    #: A limit that the queue may exceed for some time.
    soft_limit: Optional[SoftLimit] = None


@dataclass(frozen=True)
class ReconnectOptions:
    """How the sidecar reconnects to a daemon."""

    #: Maximum time to reconnect after the daemon connection is lost. After this time, the mailbox ends. Unit: s.
    #: Default: the sidecar's default, 60.
    give_up_after: Optional[float] = None
    #: What to do if the private name is in use by another session: end, try variants with a number, or use a name
    #: that the daemon generates. Default: END.
    on_name_loss: Optional[Literal["END", "SUFFIX", "DAEMON_MADE"]] = None
    #: Whether the sidecar queues messages while it reconnects. If False, the sidecar rejects them with reason
    #: RECONNECTING.
    queue_multicasts: bool = False


class ReceiveOptions(TypedDict, total=False):
    """How this client receives the events of a mailbox."""

    #: Whether to start to receive immediately, instead of at the first ``receive()`` or iteration. Default: False.
    auto_receive: bool
    #: Maximum number of events that this client buffers for the application. When the buffer is full, the stream
    #: pauses. Default: 4096.
    max_buffered_events: int
    #: Approximate maximum size of events that this client buffers. When the buffer is full, the stream pauses. Unit:
    #: bytes. Default: 4 MiB.
    max_buffered_bytes: int
    #: With EXPLICIT acknowledgement: only ``acknowledge()`` acknowledges events. If False, the client acknowledges an
    #: event when the application asks for the next event. This suits one receiving loop, but not several loops at the
    #: same time. Default: False.
    manual_acknowledgement: bool
    #: With EXPLICIT: maximum number of events that are delivered but not acknowledged. 0 means no limit. Default: 0.
    max_outstanding_events: int
    #: With EXPLICIT: maximum size of events that are delivered but not acknowledged. 0 means no limit. Unit: bytes.
    #: Default: 0.
    max_outstanding_bytes: int
    #: Interval of the sidecar's heartbeats on an idle stream. If no frame arrives for three intervals, the client
    #: treats the stream as broken. 0.1 to 3600; 0 disables heartbeats. Unit: s. Default: 10.
    heartbeat_interval: float
    #: Whether the client renews the lease while the application neither receives events nor makes calls. If False,
    #: the sidecar ends the unused mailbox after the lease. Default: True.
    keep_alive: bool
    #: Gets notifications that are not events: see ``spread_sidecar.notices``. A background thread calls the function,
    #: which must not block.
    on_notice: Callable[[Notice], None]


class MailboxOptions(ReceiveOptions, total=False):
    """How to open a mailbox."""

    #: The daemon: ``4803``, ``4803@host``, or the path of a Unix socket. Default: the sidecar's default daemon.
    spread_name: str
    #: The private name: at most 10 characters from ``$`` to ``~``. Default: the daemon generates one.
    private_name: str
    #: What to do if the name is in use: fail, or try variants with a number. Default: FAIL.
    on_name_conflict: Literal["FAIL", "SUFFIX"]
    #: 0 or 1. Has no effect in Spread 5. Default: 0.
    priority: int
    #: Whether to receive membership messages. Default: True.
    membership: bool
    #: How the sidecar authenticates to the daemon: NULL (no credential), or IP (the daemon checks the sidecar's IPv4
    #: address). Default: the sidecar's default, NULL.
    auth: Literal["NULL", "IP"]
    #: The lease: the time that the mailbox lives without a receiver and without calls. Unit: s. Default: the
    #: sidecar's default, 30.
    lease: float
    #: Whether the mailbox ends 500 ms after the client's connection closes, for example when the process is killed.
    #: If not, the mailbox ends after the lease. Default: False.
    end_with_connection: bool
    #: Whether the sidecar reconnects after the daemon connection is lost. The mailbox then receives the events
    #: ConnectionLost and ConnectionRestored. True selects the sidecar's defaults. Default: False, which ends the
    #: mailbox when its connection is lost.
    reconnect: Union[bool, ReconnectOptions]
    #: Limits of the delivery queue in the sidecar. Default: the limits of the sidecar's configuration.
    queue: QueueOptions
    #: When the sidecar may release an event. AUTO: after delivery to the transport. EXPLICIT: after the client
    #: acknowledges the event. Default: AUTO.
    acknowledgement: Literal["AUTO", "EXPLICIT"]


class RequestReplyOptions(MailboxOptions, total=False):
    """How to open a mailbox for requests and replies.

    The object sets ``membership``, ``auto_receive`` and ``manual_acknowledgement`` itself. The default of
    ``end_with_connection`` is True, so that requesters learn within a second that a process has died.
    """

    #: Gets each event that is neither a request nor a reply, such as a view. The receiving thread or task calls the
    #: function, which must not block.
    on_event: Callable[[SpreadEvent], None]


class AttachOptions(ReceiveOptions, total=False):
    """How to attach to an existing mailbox."""

    #: Receive starts after this sequence. Default: after the last delivered event (AUTO) or the last
    #: acknowledged event (EXPLICIT).
    after_sequence: int


class ChannelOptions(TypedDict, total=False):
    """How to reach a sidecar."""

    #: ``host:port``, ``unix:/path``, or another form of clients/README.md. Default, also for an empty string: the
    #: environment variable SPREAD_SIDECAR_TARGET, or ``127.0.0.1:4813`` if the variable is not set. If the program
    #: sets no target, the environment variables SPREAD_SIDECAR_TLS, SPREAD_SIDECAR_TLS_CA, SPREAD_SIDECAR_TLS_CERT,
    #: SPREAD_SIDECAR_TLS_KEY, SPREAD_SIDECAR_TLS_SERVER_NAME, SPREAD_SIDECAR_TOKEN_FILE and SPREAD_SIDECAR_INSECURE
    #: are the defaults of ``tls``, ``token`` and ``insecure``. An empty variable counts as not set.
    target: str
    #: TLS options. True enables TLS with the authorities that gRPC trusts and without a client certificate. Default:
    #: no TLS.
    tls: Union[bool, TlsOptions]
    #: Whether the client may send tokens to another machine without TLS, for example because a service mesh adds TLS.
    #: Default: False.
    insecure: bool
    #: gRPC request headers of every call.
    headers: Mapping[str, str]
    #: Timeout of calls without their own timeout. Unit: s; more than 0. Default: 30.
    call_timeout: float
    #: Keepalive interval of a connection with active calls. After this time without data, the client sends a
    #: PING. If no response arrives within half of the interval, the client reconnects. Unit: s; more than 0.
    #: Default: 10.
    connection_keep_alive: float
    #: Other options of the gRPC channel. They override the options that this package sets.
    channel_options: Sequence[tuple[str, object]]


class SidecarOptions(ChannelOptions, total=False):
    """How to reach a sidecar, with the token."""

    #: The client token, sent with every call as ``authorization: Bearer <token>``. A function is called before each
    #: call, so that the token can change. If the sidecar revokes the token of a Receive stream, the client gets a new
    #: token and attaches again, within the mailbox's lease. The client rejects a channel on which others could read
    #: the token; see ``insecure``.
    token: TokenSource


class AsyncSidecarOptions(ChannelOptions, total=False):
    """How to reach a sidecar, with the token."""

    #: As in ``SidecarOptions``. The function may also be a coroutine function.
    token: AsyncTokenSource


class ConnectOptions(SidecarOptions, MailboxOptions, total=False):
    """The options of a channel and a mailbox."""


class AsyncConnectOptions(AsyncSidecarOptions, MailboxOptions, total=False):
    """The options of a channel and a mailbox."""


class SenderOptions(TypedDict, total=False):
    """Options of a sender."""

    #: Maximum number of messages in flight: sent, but not yet passed to the daemon or rejected. At least 1. Default:
    #: 10,000.
    max_in_flight_messages: int
    #: Maximum size of the messages in flight. A single message may be larger. Unit: bytes. Default: 4 MiB.
    max_in_flight_bytes: int
    #: The sender writes a frame when its messages reach this size. The last message of a frame may exceed the size.
    #: Set a lower value if the sidecar's ``grpc.maxReceiveMessageBytes`` (4 MiB by default) is lower. Unit: bytes.
    #: Default: 1 MiB.
    max_batch_bytes: int
