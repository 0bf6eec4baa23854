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

    #: Authorities that the sidecar's certificate may be of. Default: those that come with gRPC.
    ca: Optional[Union[str, bytes]] = None
    #: This client's certificate, where the sidecar asks for one; with ``key``.
    cert: Optional[Union[str, bytes]] = None
    #: Its private key.
    key: Optional[Union[str, bytes]] = None
    #: The name that the sidecar's certificate must be for. Default: the host of the target.
    server_name: Optional[str] = None


@dataclass(frozen=True)
class SoftLimit:
    """How long a queue may be nearly full before its mailbox is ended, with reason SLOW_CONSUMER."""

    #: The soft bound, as a part of the queue's bounds: above 0, at most 1. 0: the sidecar's default.
    fraction: float = 0.0
    #: How long the queue may stay above it without a break. Required if the sidecar has no default. Unit: s.
    time: Optional[float] = None


@dataclass(frozen=True)
class QueueOptions:
    """Bounds of the event queue in the sidecar. What is not set takes the sidecar's default."""

    #: Most events that may wait.
    max_events: Optional[int] = None
    #: Most bytes that may wait, counted as encoded events. Unit: bytes.
    max_bytes: Optional[int] = None
    #: With AUTO acknowledgement: bytes of events kept after they were handed out. Unit: bytes.
    replay_bytes: Optional[int] = None
    #: At a bound: stop reading from the daemon, or end the mailbox.
    overflow: Optional[Literal["PAUSE", "DISCONNECT"]] = None
    #: A bound that the queue may be above only for a time.
    soft_limit: Optional[SoftLimit] = None


@dataclass(frozen=True)
class ReconnectOptions:
    """How a lost daemon connection is made anew."""

    #: How long after the loss the mailbox ends if that did not succeed. Unit: s. Default: the sidecar's, 60.
    give_up_after: Optional[float] = None
    #: What to do when another session keeps holding the private name: end, try variants of it with a number, or
    #: take a name that the daemon makes. Default: END.
    on_name_loss: Optional[Literal["END", "SUFFIX", "DAEMON_MADE"]] = None
    #: Messages that are sent meanwhile wait in the sidecar; else they are refused with reason RECONNECTING.
    queue_multicasts: bool = False


class ReceiveOptions(TypedDict, total=False):
    """How a mailbox receives on this side."""

    #: Begin to receive at once, not at the first ``receive()`` or iteration. Default: False.
    auto_receive: bool
    #: The stream is paused when so many events wait for the application on this side. Default: 4096.
    max_buffered_events: int
    #: The stream is paused when about so many bytes of events wait on this side. Unit: bytes. Default: 4 MiB.
    max_buffered_bytes: int
    #: With EXPLICIT acknowledgement: only ``acknowledge()`` acknowledges events. If False, the client acknowledges an
    #: event when the application asks for the next one. That suits one loop, but not several that receive at the
    #: same time. Default: False.
    manual_acknowledgement: bool
    #: With EXPLICIT: most events given and not yet acknowledged; 0: no bound. Default: 0.
    max_outstanding_events: int
    #: With EXPLICIT: most bytes of events given and not yet acknowledged; 0: no bound. Unit: bytes. Default: 0.
    max_outstanding_bytes: int
    #: The sidecar gives a sign of life on an idle stream this often; a stream that is silent for three times as
    #: long counts as broken. 0.1 to 3600; 0: none. Unit: s. Default: 10.
    heartbeat_interval: float
    #: Keeps the mailbox by itself while the application neither receives nor calls; without, the sidecar ends it
    #: after the lease. Default: True.
    keep_alive: bool
    #: Told what happens besides the events: see ``spread_sidecar.notices``. Called in the background; it must not
    #: block.
    on_notice: Callable[[Notice], None]


class MailboxOptions(ReceiveOptions, total=False):
    """How to open a mailbox."""

    #: The daemon: ``4803``, ``4803@host``, or the path of a Unix socket. Default: the sidecar's.
    spread_name: str
    #: The private name: at most 10 characters of ``$`` to ``~``. Default: the daemon makes one.
    private_name: str
    #: What to do when the name is in use: fail, or try variants of it with a number. Default: FAIL.
    on_name_conflict: Literal["FAIL", "SUFFIX"]
    #: 0 or 1; it has no effect in Spread 5. Default: 0.
    priority: int
    #: Whether membership messages are received. Default: True.
    membership: bool
    #: How the sidecar shows itself to the daemon: NULL, or IP, its own IPv4 address. Default: the sidecar's, NULL.
    auth: Literal["NULL", "IP"]
    #: How long the mailbox lives while nothing uses it. Unit: s. Default: the sidecar's, 30.
    lease: float
    #: End the mailbox 500 ms after this side has closed its connection, as when the process ends or is killed, and not
    #: after the lease. Default: False.
    end_with_connection: bool
    #: Reconnect after a lost daemon connection, and report it by the events ConnectionLost and ConnectionRestored; True: as
    #: the sidecar does by default. Default: False, the mailbox ends with its connection.
    reconnect: Union[bool, ReconnectOptions]
    #: Bounds of the event queue in the sidecar. Default: the sidecar's.
    queue: QueueOptions
    #: AUTO, the default, or EXPLICIT: an event is kept until it is acknowledged.
    acknowledgement: Literal["AUTO", "EXPLICIT"]


class AttachOptions(ReceiveOptions, total=False):
    """How to take up a mailbox that exists."""

    #: Receive begins with the event after this one. Default: after the last one that the sidecar gave to anybody
    #: (AUTO) or that was acknowledged (EXPLICIT).
    after_sequence: int


class ChannelOptions(TypedDict, total=False):
    """How to reach a sidecar."""

    #: ``host:port``, ``unix:/path``, or another form of clients/README.md. Default, also for an empty one: the environment variable
    #: SPREAD_SIDECAR_TARGET, else ``127.0.0.1:4813``. Without a target of the program's own, the variables
    #: SPREAD_SIDECAR_TLS, SPREAD_SIDECAR_TLS_CA, SPREAD_SIDECAR_TLS_CERT, SPREAD_SIDECAR_TLS_KEY,
    #: SPREAD_SIDECAR_TLS_SERVER_NAME, SPREAD_SIDECAR_TOKEN_FILE and SPREAD_SIDECAR_INSECURE are the defaults of
    #: ``tls``, ``token`` and ``insecure``; an empty variable counts as not set.
    target: str
    #: Default: no TLS. True: with gRPC's authorities and no certificate.
    tls: Union[bool, TlsOptions]
    #: Send tokens also without TLS to another machine, as where a mesh does the TLS. Default: False.
    insecure: bool
    #: Headers that are sent with every call.
    headers: Mapping[str, str]
    #: For calls that name no timeout of their own. Unit: s; more than 0. Default: 30.
    call_timeout: float
    #: A connection that carries calls and is silent for so long is asked for a sign of life; if none comes within
    #: half of it, the connection is made anew. Unit: s; more than 0. Default: 10.
    connection_keep_alive: float
    #: Further options of the gRPC channel; they win over those of this package.
    channel_options: Sequence[tuple[str, object]]


class SidecarOptions(ChannelOptions, total=False):
    """How to reach a sidecar, with the token."""

    #: The client token, sent with every call as ``authorization: Bearer <token>``. A function is asked before each
    #: call, so that a token can change: a Receive whose token is withdrawn attaches again with what the function
    #: gives then, for as long as the mailbox's lease. Never sent, and refused at once, where others could read it;
    #: see ``insecure``.
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

    #: Most messages that may be on their way, not yet decided. At least 1. Default: 10,000.
    max_in_flight_messages: int
    #: Most bytes of such messages. One is always let through. Unit: bytes. Default: 4 MiB.
    max_in_flight_bytes: int
    #: A frame is written when its messages have so many bytes; the last of them may be more. Lower it where the
    #: sidecar's ``grpc.maxReceiveMessageBytes`` (4 MiB by default) is set lower. Unit: bytes. Default: 1 MiB.
    max_batch_bytes: int
