"""What connecting, attaching and sending may be told. Everything is optional; times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Awaitable, Callable, Literal, Mapping, Optional, Sequence, TypedDict, Union

from .notices import Notice

#: The target when neither the program nor the environment gives one.
DEFAULT_TARGET = "127.0.0.1:4813"

#: A token, or a function that gives it before each call.
TokenSource = Union[str, Callable[[], str]]
#: For ``spread_sidecar.aio``: the function may be a coroutine function.
AsyncTokenSource = Union[str, Callable[[], Union[str, Awaitable[str]]]]

#: A payload: bytes as they are, or text, which is sent as UTF-8.
Payload = Union[bytes, bytearray, memoryview, str]


@dataclass(frozen=True)
class TlsOptions:
    """TLS. Everything is optional. Certificates and keys are PEM, as text or bytes."""

    #: Certificate authorities for the sidecar's certificate. Default: those of gRPC.
    ca: Optional[Union[str, bytes]] = None
    #: This client's certificate, if the sidecar requires one; with ``key``.
    cert: Optional[Union[str, bytes]] = None
    #: The private key of ``cert``.
    key: Optional[Union[str, bytes]] = None
    #: The server name that the sidecar's certificate must have. Default: the host of the target.
    server_name: Optional[str] = None


@dataclass(frozen=True)
class SoftLimit:
    """How long a queue may be nearly full before its mailbox is ended, with reason SLOW_CONSUMER."""

    #: The soft limit, as a fraction of the queue's limits: above 0, at most 1. 0: the sidecar's default.
    fraction: float = 0.0
    #: How long the queue may exceed it without a break. Required if the sidecar has no default. Unit: s.
    time: Optional[float] = None


@dataclass(frozen=True)
class QueueOptions:
    """Bounds of the event queue in the sidecar. What is not set takes the sidecar's default."""

    #: Maximum number of queued events.
    max_events: Optional[int] = None
    #: Maximum size of queued events, as encoded. Unit: bytes.
    max_bytes: Optional[int] = None
    #: With AUTO acknowledgement: size of the replay window of delivered events. Unit: bytes.
    replay_bytes: Optional[int] = None
    #: At a limit: stop reading from the daemon, or end the mailbox.
    overflow: Optional[Literal["PAUSE", "DISCONNECT"]] = None
    #: A lower limit that the queue may exceed only for a time.
    soft_limit: Optional[SoftLimit] = None


@dataclass(frozen=True)
class ReconnectOptions:
    """How a mailbox replaces a lost daemon connection."""

    #: Time after the loss at which the mailbox ends if reconnecting has not succeeded. Unit: s. Default: the
    #: sidecar's, 60.
    give_up_after: Optional[float] = None
    #: What to do while another session holds the private name: end, try variants with a number, or take a name that
    #: the daemon generates. Default: END.
    on_name_loss: Optional[Literal["END", "SUFFIX", "DAEMON_MADE"]] = None
    #: True: the sidecar queues messages meanwhile. False: it rejects them with reason RECONNECTING.
    queue_multicasts: bool = False


class ReceiveOptions(TypedDict, total=False):
    """How a mailbox receives on this side."""

    #: Start to receive at once, not at the first ``receive()`` or iteration. Default: False.
    auto_receive: bool
    #: Number of events in the client at which it pauses the stream. Default: 4096.
    max_buffered_events: int
    #: Approximate size of events in the client at which it pauses the stream. Unit: bytes. Default: 4 MiB.
    max_buffered_bytes: int
    #: With EXPLICIT acknowledgement: only ``acknowledge()`` acknowledges events. If False, the client acknowledges
    #: an event when the application asks for the next one. This suits one receiving loop, but not several at the
    #: same time. Default: False.
    manual_acknowledgement: bool
    #: With EXPLICIT: maximum number of events that are delivered and not yet acknowledged; 0: no limit. Default: 0.
    max_outstanding_events: int
    #: With EXPLICIT: maximum size of events that are delivered and not yet acknowledged; 0: no limit. Unit: bytes.
    #: Default: 0.
    max_outstanding_bytes: int
    #: Interval of heartbeats on an idle stream. A stream that is silent for three intervals counts as broken. 0.1
    #: to 3600; 0: none. Unit: s. Default: 10.
    heartbeat_interval: float
    #: Keep the mailbox open while the application neither receives nor calls. If False, the sidecar ends it after
    #: the lease. Default: True.
    keep_alive: bool
    #: Callback for notices, see ``spread_sidecar.notices``. Called in the background; it must not block.
    on_notice: Callable[[Notice], None]


class MailboxOptions(ReceiveOptions, total=False):
    """How to open a mailbox."""

    #: The daemon: ``4803``, ``4803@host``, or the path of a Unix socket. Default: the sidecar's.
    spread_name: str
    #: The private name: at most 10 characters from ``$`` to ``~``. Default: generated by the daemon.
    private_name: str
    #: What to do when the name is in use: fail, or try variants with a number. Default: FAIL.
    on_name_conflict: Literal["FAIL", "SUFFIX"]
    #: 0 or 1; it has no effect in Spread 5. Default: 0.
    priority: int
    #: Whether membership messages are received. Default: True.
    membership: bool
    #: How the sidecar authenticates at the daemon: NULL, or IP, its own IPv4 address. Default: the sidecar's, NULL.
    auth: Literal["NULL", "IP"]
    #: The lease: time that the mailbox lives while nothing uses it. Unit: s. Default: the sidecar's, 30.
    lease: float
    #: End the mailbox 500 ms after this client has closed its connection, for example because its process was
    #: killed, and not after the lease. Default: False.
    end_with_connection: bool
    #: Reconnect after a lost daemon connection, and report it by the events ConnectionLost and ConnectionRestored.
    #: True: with the sidecar's defaults. Default: False, the mailbox ends with its connection.
    reconnect: Union[bool, ReconnectOptions]
    #: Limits of the event queue in the sidecar. Default: the sidecar's.
    queue: QueueOptions
    #: AUTO, the default, or EXPLICIT: the sidecar retains an event until it is acknowledged.
    acknowledgement: Literal["AUTO", "EXPLICIT"]


class AttachOptions(ReceiveOptions, total=False):
    """How to take up a mailbox that exists."""

    #: Receive starts with the event after this one. Default: after the last event that the sidecar delivered (AUTO)
    #: or that was acknowledged (EXPLICIT).
    after_sequence: int


class ChannelOptions(TypedDict, total=False):
    """How to reach a sidecar."""

    #: ``host:port``, ``unix:/path``, or another form of clients/README.md. Default, also for an empty one: the environment variable
    #: SPREAD_SIDECAR_TARGET, else ``127.0.0.1:4813``. Without a target of the program's own, the variables
    #: SPREAD_SIDECAR_TLS, SPREAD_SIDECAR_TLS_CA, SPREAD_SIDECAR_TLS_CERT, SPREAD_SIDECAR_TLS_KEY,
    #: SPREAD_SIDECAR_TLS_SERVER_NAME, SPREAD_SIDECAR_TOKEN_FILE and SPREAD_SIDECAR_INSECURE are the defaults of
    #: ``tls``, ``token`` and ``insecure``; an empty variable counts as not set.
    target: str
    #: Default: no TLS. True: with gRPC's certificate authorities and no client certificate.
    tls: Union[bool, TlsOptions]
    #: Allow sending tokens without TLS to another machine, for example where a service mesh provides TLS. Default:
    #: False.
    insecure: bool
    #: Headers that are sent with every call.
    headers: Mapping[str, str]
    #: Timeout of calls without their own timeout. Unit: s; more than 0. Default: 30.
    call_timeout: float
    #: Idle time after which the client sends a PING on a connection with calls. Without a response within half of
    #: this time, the client reconnects. Unit: s; more than 0. Default: 10.
    connection_keep_alive: float
    #: Further options of the gRPC channel; they override those of this package.
    channel_options: Sequence[tuple[str, object]]


class SidecarOptions(ChannelOptions, total=False):
    """How to reach a sidecar, with the token."""

    #: The client token, sent with every call as ``authorization: Bearer <token>``. The client calls a function
    #: before each call, so that a token can change. A Receive whose token is withdrawn attaches again with the new
    #: token, within the mailbox's lease. The client rejects a token where others could read it; see ``insecure``.
    token: TokenSource


class AsyncSidecarOptions(ChannelOptions, total=False):
    """How to reach a sidecar, with the token."""

    #: As in SidecarOptions; the function may be a coroutine function.
    token: AsyncTokenSource


class ConnectOptions(SidecarOptions, MailboxOptions, total=False):
    """A channel and a mailbox on it."""


class AsyncConnectOptions(AsyncSidecarOptions, MailboxOptions, total=False):
    """A channel and a mailbox on it."""


class SenderOptions(TypedDict, total=False):
    """How a sender works."""

    #: Maximum number of undecided messages in transit. At least 1. Default: 10,000.
    max_in_flight_messages: int
    #: Maximum size of these messages. One message is always allowed. Unit: bytes. Default: 4 MiB.
    max_in_flight_bytes: int
    #: Size of messages at which the client writes a frame; the last message may exceed it. Lower it if the
    #: sidecar's ``grpc.maxReceiveMessageBytes`` (4 MiB by default) is lower. Unit: bytes. Default: 1 MiB.
    max_batch_bytes: int
