"""One channel to a sidecar."""

from __future__ import annotations

import atexit
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Iterator, Optional, Type

from .._core import answers, methods
from .._core.answers import MailboxInit
from .._core.backoff import Backoff
from .._core.channel import ChannelPlan
from .._core.durations import to_count
from .._core.local_errors import cancelled_error, check_timeout, field_error, incomplete_answer, timeout_error
from .._core.receive_settings import ReceiveSettings, to_receive_settings
from .._core.requests import refuse_unknown, to_connect_request
from .._core.security import to_authorization
from ..cancellation import Cancellation
from ..errors import SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..info import MailboxInfo, SidecarVersion
from ..options import AttachOptions, MailboxOptions, SidecarOptions
from .mailbox import Mailbox, fetch_info
from .rpc import Rpc
from .timers import Timers

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Threads that wait in gRPC would keep the interpreter from ending cleanly.
_open: weakref.WeakSet[SpreadSidecar] = weakref.WeakSet()


class SpreadSidecar:
    """One channel to a sidecar; opens mailboxes. It connects by itself when it is used.

    As a context manager it closes when it is left. Options: see ``SidecarOptions``.
    """

    #: Where it connects to.
    target: str

    def __init__(self, **options: Unpack[SidecarOptions]) -> None:
        refuse_unknown(options, SidecarOptions)
        token = options.get("token")
        plan = ChannelPlan(options, token is not None)
        self.target = plan.target
        self._security = plan.security
        self._rpc = Rpc(plan, token)
        self._timers = Timers()
        self._mailboxes: set[Mailbox] = set()
        self._closed = False
        _open.add(self)

    def connect(
        self,
        *,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
        **options: Unpack[MailboxOptions],
    ) -> Mailbox:
        """Opens a mailbox (SP_connect). Options: see ``MailboxOptions``.

        Raises SpreadError, such as REJECT_NOT_UNIQUE or COULD_NOT_CONNECT; then none was opened.
        """
        return self._connect(options, timeout, cancel, lambda: None)

    def attach(
        self,
        mailbox_id: str,
        *,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
        **options: Unpack[AttachOptions],
    ) -> Mailbox:
        """Takes up a mailbox that was opened before, by this process or another; see ``Mailbox.detach``.

        Whoever receives from it at that time is replaced when this one begins to receive. Options: see
        ``AttachOptions``.
        """
        refuse_unknown(options, AttachOptions)
        settings = to_receive_settings(options)
        given = options.get("after_sequence")
        after = None if given is None else to_count(given, "after_sequence")
        info = fetch_info(self._rpc, mailbox_id, timeout, cancel)
        return self._keep(answers.attached(mailbox_id, info, after), settings, lambda: None)

    def version(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> SidecarVersion:
        """Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version)."""
        request = service.GetVersionRequest()
        return answers.to_version(self._rpc.call(methods.GET_VERSION, request, timeout=timeout, cancel=cancel))

    def list_mailboxes(
        self,
        admin_token: Optional[str] = None,
        *,
        page_size: int = 0,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
    ) -> Iterator[MailboxInfo]:
        """State and counters of all mailboxes of the sidecar, page by page.

        ``admin_token`` is the sidecar's admin token, in place of ``token``; refused where others could read it, as
        that is.
        """
        headers: tuple[tuple[str, str], ...] = ()
        if admin_token is not None:
            self._security.check_token_allowed("admin_token")
            headers = (("authorization", to_authorization(admin_token)),)
        size = to_count(page_size, "page_size")
        if size > 0xFFFFFFFF:
            raise field_error("page_size", "0 to 1000", page_size)
        page_token = ""
        while True:
            request = service.ListMailboxesRequest(page_size=size, page_token=page_token)
            page = self._rpc.call(methods.LIST_MAILBOXES, request, timeout=timeout, cancel=cancel, headers=headers)
            yield from map(answers.to_info, page.mailboxes)
            if not page.next_page_token:
                return
            # Else a sidecar that always names the same page would never let go of us.
            if page.next_page_token == page_token:
                raise incomplete_answer("ListMailboxes", "a further page")
            page_token = page.next_page_token

    def wait_for_ready(
        self, timeout: float = 30.0, *, daemon: bool = False, cancel: Optional[Cancellation] = None
    ) -> None:
        """Returns when the sidecar answers, trying again until then.

        ``daemon``: wait until it is connected to its default daemon too. Raises SpreadError with status
        DEADLINE_EXCEEDED; at once for a failure that waiting does not heal.
        """
        check_timeout(timeout)
        deadline = time.monotonic() + timeout
        backoff = Backoff(0.05, 0.5)
        last = "it did not answer"
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise timeout_error(f"{self.target} was not ready within {timeout:g} s: {last}")
            try:
                version = self.version(timeout=remaining, cancel=cancel)
                if not daemon or version.daemon is not None:
                    return
                last = "the sidecar is not connected to its daemon"
            except SpreadError as error:
                if error.status not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    raise
                last = error.message
            if cancel is not None and cancel.cancelled:
                raise cancelled_error("cancelled while waiting for the sidecar")
            time.sleep(min(backoff.next(), max(deadline - time.monotonic(), 0)))

    def close(self, *, keep_mailboxes: bool = False) -> None:
        """Disconnects the mailboxes that were opened or attached through this channel, and closes it.

        ``keep_mailboxes``: let go of them without ending them; they live on for their lease. Raises the SpreadError of
        the first mailbox that could not be disconnected; the channel is closed all the same. A second call does
        nothing.
        """
        if self._closed:
            return
        self._closed = True
        failure: Optional[SpreadError] = None
        for mailbox in list(self._mailboxes):
            if keep_mailboxes:
                mailbox.detach()
                continue
            try:
                mailbox.disconnect()
            except SpreadError as error:
                failure = failure or error
        self._timers.close()
        self._rpc.close()
        _open.discard(self)
        if failure is not None:
            raise failure

    def __enter__(self) -> SpreadSidecar:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def raw_unary(self, method: str, body: bytes, *, timeout: Optional[float] = None) -> bytes:
        """For tests of the contract: a unary call of MailboxService, such as ``Poll``, with these bytes as they are."""
        return self._rpc.raw_unary(method, body, timeout=timeout)

    def _connect(
        self,
        options: MailboxOptions,
        timeout: Optional[float],
        cancel: Optional[Cancellation],
        on_closed: Callable[[], None],
    ) -> Mailbox:
        refuse_unknown(options, MailboxOptions)
        settings = to_receive_settings(options)
        request = to_connect_request(options)
        answer = self._rpc.call(methods.CONNECT, request, timeout=timeout, cancel=cancel)
        return self._keep(answers.opened(answer), settings, on_closed)

    def _keep(self, init: MailboxInit, settings: ReceiveSettings, on_closed: Callable[[], None]) -> Mailbox:
        def closed(mailbox: Mailbox) -> None:
            self._mailboxes.discard(mailbox)
            on_closed()

        mailbox = Mailbox(self._rpc, self._timers, init, settings, closed)
        self._mailboxes.add(mailbox)
        return mailbox


@atexit.register
def _let_go() -> None:
    for sidecar in list(_open):
        sidecar.close(keep_mailboxes=True)
