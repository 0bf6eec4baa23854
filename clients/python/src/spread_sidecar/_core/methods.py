"""The calls of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Generic, Type, TypeVar

from google.protobuf.message import Message

from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service

SERVICE = "/spread.sidecar.v1.MailboxService/"

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


@dataclass(frozen=True, eq=False)
class UnaryMethod(Generic[RequestT, ResponseT]):
    """A call with one request and one response."""

    name: str
    encode: Callable[[RequestT], bytes]
    decode: Callable[[bytes], ResponseT]

    @property
    def path(self) -> str:
        """The ``:path`` header in HTTP/2."""
        return SERVICE + self.name


def _unary(name: str, request: Type[RequestT], response: Type[ResponseT]) -> UnaryMethod[RequestT, ResponseT]:
    return UnaryMethod(name, request.SerializeToString, response.FromString)


CONNECT = _unary("Connect", service.ConnectRequest, service.ConnectResponse)
DISCONNECT = _unary("Disconnect", service.DisconnectRequest, service.DisconnectResponse)
JOIN = _unary("Join", service.JoinRequest, service.JoinResponse)
LEAVE = _unary("Leave", service.LeaveRequest, service.LeaveResponse)
MULTICAST = _unary("Multicast", service.MulticastRequest, service.MulticastResponse)
ACKNOWLEDGE = _unary("Acknowledge", service.AcknowledgeRequest, service.AcknowledgeResponse)
POLL = _unary("Poll", service.PollRequest, service.PollResponse)
GET_MAILBOX = _unary("GetMailbox", service.GetMailboxRequest, service.GetMailboxResponse)
GET_VIEW = _unary("GetView", service.GetViewRequest, service.GetViewResponse)
LIST_MAILBOXES = _unary("ListMailboxes", service.ListMailboxesRequest, service.ListMailboxesResponse)
GET_VERSION = _unary("GetVersion", service.GetVersionRequest, service.GetVersionResponse)

RECEIVE = SERVICE + "Receive"
MULTICAST_STREAM = SERVICE + "MulticastStream"
