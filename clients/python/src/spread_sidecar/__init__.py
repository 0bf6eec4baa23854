"""Python client of spread-sidecar: Spread group communication over gRPC. Start with ``connect``.

This is the blocking API. ``spread_sidecar.aio`` is the same API for asyncio.
"""

from __future__ import annotations

from . import constants, headers, predicates
from ._sync.connect import connect, version
from ._sync.mailbox import Mailbox
from ._sync.request_reply import RequestReply, RequestService
from ._sync.sender import Sender
from ._sync.sidecar import SpreadSidecar
from .cancellation import Cancellation
from .constants import *  # noqa: F403
from .error_codes import SPREAD_ERRORS, spread_error_name
from .errors import MessagesRefused, SendOutcome, SpreadError
from .events import (
    ConnectionLost,
    ConnectionRestored,
    MembershipCause,
    MembershipMessage,
    RegularMessage,
    RejectedMessage,
    RejectedOperation,
    SelfLeaveMessage,
    ServiceTypeName,
    SpreadEvent,
    TransitionalMessage,
    ViewMessage,
    VirtualSynchronySet,
)
from .group_id import GroupId
from .headers import *  # noqa: F403
from .info import (
    AcknowledgementMode,
    CurrentView,
    MailboxInfo,
    MailboxLimits,
    MailboxState,
    OutgoingMessage,
    PollResult,
    QueueLimits,
    Resumption,
    SenderProgress,
    SidecarVersion,
    VersionTriple,
)
from .notices import Attached, Detached, Ended, Notice, SlowConsumer
from .options import (
    DEFAULT_TARGET,
    AsyncTokenSource,
    AttachOptions,
    MailboxOptions,
    Payload,
    QueueOptions,
    ReceiveOptions,
    ReconnectOptions,
    RequestReplyOptions,
    SenderOptions,
    SidecarOptions,
    SoftLimit,
    TlsOptions,
    TokenSource,
)
from .predicates import *  # noqa: F403
from .refusal import Refusal
from .request_reply import (
    AsyncRequestHandler,
    HandlerReply,
    IncomingRequest,
    OutgoingReply,
    Replies,
    Reply,
    RequestHandler,
    RequestStatistics,
    WantedReplies,
)

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_TARGET",
    "SPREAD_ERRORS",
    "AcknowledgementMode",
    "AsyncRequestHandler",
    "AsyncTokenSource",
    "AttachOptions",
    "Attached",
    "Cancellation",
    "ConnectionLost",
    "ConnectionRestored",
    "CurrentView",
    "Detached",
    "Ended",
    "GroupId",
    "HandlerReply",
    "IncomingRequest",
    "Mailbox",
    "MailboxInfo",
    "MailboxLimits",
    "MailboxOptions",
    "MailboxState",
    "MembershipCause",
    "MembershipMessage",
    "MessagesRefused",
    "Notice",
    "OutgoingMessage",
    "OutgoingReply",
    "Payload",
    "PollResult",
    "QueueLimits",
    "QueueOptions",
    "ReceiveOptions",
    "ReconnectOptions",
    "Refusal",
    "RegularMessage",
    "RejectedMessage",
    "RejectedOperation",
    "Replies",
    "Reply",
    "RequestHandler",
    "RequestReply",
    "RequestReplyOptions",
    "RequestService",
    "RequestStatistics",
    "Resumption",
    "SelfLeaveMessage",
    "SendOutcome",
    "Sender",
    "SenderOptions",
    "SenderProgress",
    "ServiceTypeName",
    "SidecarOptions",
    "SidecarVersion",
    "SlowConsumer",
    "SoftLimit",
    "SpreadError",
    "SpreadEvent",
    "SpreadSidecar",
    "TlsOptions",
    "TokenSource",
    "TransitionalMessage",
    "VersionTriple",
    "ViewMessage",
    "VirtualSynchronySet",
    "WantedReplies",
    "connect",
    "spread_error_name",
    "version",
]
__all__ += constants.__all__
__all__ += headers.__all__
__all__ += predicates.__all__
