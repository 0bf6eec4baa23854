"""The unary calls of a channel and of a mailbox: the request, and the conversion of the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Generic, Iterable, Mapping, Optional, TypeVar

from ..events import SelfLeaveMessage, ViewMessage
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..info import CurrentView, MailboxInfo, PollResult, SidecarVersion
from ..options import MailboxOptions, Payload
from . import methods, responses
from .responses import MailboxInit
from .durations import to_count
from .local_errors import field_error, invalid_response
from .methods import UnaryMethod
from .outgoing import check_text, to_groups, to_multicast_message, to_outgoing
from .requests import to_connect_request

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Call(Generic[ResultT]):
    """One unary call."""

    method: UnaryMethod[Any, Any]
    request: Any
    #: Converts the response.
    convert: Callable[[Any], ResultT]
    #: Whether the call sends a message, so that its error has an outcome.
    send: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def connect(options: MailboxOptions) -> Call[MailboxInit]:
    """Opens a mailbox."""
    return Call(methods.CONNECT, to_connect_request(options), responses.opened)


def info(mailbox_id: str) -> Call[MailboxInfo]:
    """State and counters of a mailbox."""
    request = service.GetMailboxRequest(mailbox_id=check_text("mailbox_id", mailbox_id))
    return Call(methods.GET_MAILBOX, request, responses.info_of)


def version() -> Call[SidecarVersion]:
    """Versions."""
    return Call(methods.GET_VERSION, service.GetVersionRequest(), responses.to_version)


def disconnect(mailbox_id: str, leave_groups_first: bool, abort: bool) -> Call[bool]:
    """Ends a mailbox."""
    request = service.DisconnectRequest(mailbox_id=mailbox_id, leave_groups_first=leave_groups_first, abort=abort)
    return Call(methods.DISCONNECT, request, lambda answer: answer.was_open)


def join(mailbox_id: str, group: str, await_view: bool) -> Call[Optional[ViewMessage]]:
    """Joins a group."""
    request = service.JoinRequest(mailbox_id=mailbox_id, group=check_text("group", group), await_view=await_view)
    return Call(methods.JOIN, request, lambda answer: responses.joined(answer, await_view))


def leave(mailbox_id: str, group: str, await_view: bool) -> Call[Optional[SelfLeaveMessage]]:
    """Leaves a group."""
    request = service.LeaveRequest(mailbox_id=mailbox_id, group=check_text("group", group), await_view=await_view)
    return Call(methods.LEAVE, request, responses.left)


def multicast(
    mailbox_id: str,
    service_type: int,
    groups: Iterable[str],
    payload: Payload,
    message_type: int,
    self_discard: bool,
    headers: Optional[Mapping[str, str]],
) -> Call[int]:
    """Sends a message."""
    outgoing = to_outgoing(service_type, to_groups(groups), payload, message_type, self_discard, headers)
    request = service.MulticastRequest(mailbox_id=mailbox_id, message=to_multicast_message(outgoing))
    return Call(methods.MULTICAST, request, lambda answer: answer.bytes_sent, send=True)


def poll(mailbox_id: str, buffered: Callable[[], int]) -> Call[PollResult]:
    """Counts the queued events."""
    request = service.PollRequest(mailbox_id=mailbox_id)
    return Call(methods.POLL, request, lambda answer: responses.polled(answer, buffered()))


def acknowledge(mailbox_id: str, up_to: int) -> Call[int]:
    """Acknowledges events."""
    request = service.AcknowledgeRequest(mailbox_id=mailbox_id, up_to_sequence=to_count(up_to, "up_to"))
    return Call(methods.ACKNOWLEDGE, request, lambda answer: answer.acknowledged_sequence)


def view(mailbox_id: str, group: str) -> Call[CurrentView]:
    """The current view of a group."""
    request = service.GetViewRequest(mailbox_id=mailbox_id, group=check_text("group", group))
    return Call(methods.GET_VIEW, request, responses.current_view)


@dataclass(frozen=True)
class MailboxPage:
    """A page of ListMailboxes."""

    mailboxes: list[MailboxInfo]
    #: Empty for the last page.
    next_token: str


class MailboxPages:
    """Iterates over the pages of ListMailboxes."""

    def __init__(self, page_size: int, headers: tuple[tuple[str, str], ...]) -> None:
        self._size = to_count(page_size, "page_size")
        if self._size > 0xFFFFFFFF:
            raise field_error("page_size", "from 0 to 1000", page_size)
        self._headers = headers
        self._token = ""

    def next_call(self) -> Call[MailboxPage]:
        """The call for the next page."""
        request = service.ListMailboxesRequest(page_size=self._size, page_token=self._token)
        return Call(methods.LIST_MAILBOXES, request, _to_page, headers=self._headers)

    def follows(self, page: MailboxPage) -> bool:
        """Whether another page follows."""
        # Otherwise a sidecar that repeats a page token would cause an endless loop.
        if page.next_token and page.next_token == self._token:
            raise invalid_response("ListMailboxes", "repeats the page token of the request")
        self._token = page.next_token
        return page.next_token != ""


def _to_page(answer: service.ListMailboxesResponse) -> MailboxPage:
    return MailboxPage([responses.to_info(mailbox) for mailbox in answer.mailboxes], answer.next_page_token)
