"""A channel to a sidecar."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Iterator, Optional, Type

from .._core import calls, responses
from .._core.responses import MailboxInit
from .._core.channel import ChannelPlan
from .._core.durations import to_count
from .._core.environment import complete_options
from .._core.rules.ready import ReadyWait
from .._core.receive_settings import ReceiveSettings, to_receive_settings
from .._core.requests import reject_unknown, to_mailbox_options
from .._core.security import to_authorization
from ..cancellation import Cancellation
from ..errors import SpreadError
from ..info import MailboxInfo, SidecarVersion
from ..options import AttachOptions, MailboxOptions, RequestReplyOptions, SidecarOptions
from .mailbox import Mailbox
from .request_reply import RequestReply
from .rpc import Rpc
from .timers import Timers

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Threads that wait in gRPC would delay the end of the interpreter.
_open: weakref.WeakSet[SpreadSidecar] = weakref.WeakSet()


class SpreadSidecar:
    """A channel to a sidecar, which opens mailboxes. It connects at the first call.

    A ``with`` block closes the channel at its end. For the options, see ``SidecarOptions``. Without ``target``,
    environment variables select the sidecar; see ``ChannelOptions.target``.
    """

    #: The target of the channel.
    target: str

    def __init__(self, **options: Unpack[SidecarOptions]) -> None:
        reject_unknown(options, SidecarOptions)
        completed = complete_options(options, os.environ)
        token = completed.get("token")
        plan = ChannelPlan(completed, token is not None)
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
        """Opens a mailbox (SP_connect). For the options, see ``MailboxOptions``.

        Raises SpreadError, for example REJECT_NOT_UNIQUE or COULD_NOT_CONNECT. In this case, no mailbox was opened.
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
        """Attaches to a mailbox that this process or a different process opened; see ``Mailbox.detach``.

        When the returned mailbox starts to receive, it replaces the receiver that is attached. For the options, see
        ``AttachOptions``.
        """
        reject_unknown(options, AttachOptions)
        settings = to_receive_settings(options)
        given = options.get("after_sequence")
        after = None if given is None else to_count(given, "after_sequence")
        info = self._rpc.call(calls.info(mailbox_id), timeout, cancel)
        return self._keep(responses.attached(mailbox_id, info, after), settings, lambda: None)

    def open_request_reply(
        self,
        *,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
        **options: Unpack[RequestReplyOptions],
    ) -> RequestReply:
        """Opens a mailbox that makes and handles requests. For the options, see ``RequestReplyOptions``."""
        mailbox = self._connect(to_mailbox_options(options), timeout, cancel, lambda: None)
        return RequestReply(mailbox, options.get("on_event"))

    def version(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> SidecarVersion:
        """Returns the versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version)."""
        return self._rpc.call(calls.version(), timeout, cancel)

    def list_mailboxes(
        self,
        admin_token: Optional[str] = None,
        *,
        page_size: int = 0,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
    ) -> Iterator[MailboxInfo]:
        """Iterates over the state and the counters of all mailboxes of the sidecar. The client requests one page at a
        time.

        ``admin_token`` is the sidecar's admin token, which replaces ``token`` for these calls. The client rejects it
        on a channel on which it would reject ``token``.
        """
        headers: tuple[tuple[str, str], ...] = ()
        if admin_token is not None:
            self._security.check_token_allowed("admin_token")
            headers = (("authorization", to_authorization(admin_token)),)
        pages = calls.MailboxPages(page_size, headers)
        while True:
            page = self._rpc.call(pages.next_call(), timeout, cancel)
            yield from page.mailboxes
            if not pages.follows(page):
                return

    def wait_for_ready(
        self, timeout: float = 30.0, *, daemon: bool = False, cancel: Optional[Cancellation] = None
    ) -> None:
        """Waits until the sidecar responds. Retries failed attempts.

        ``daemon``: also wait until the sidecar is connected to its default daemon. Raises SpreadError with status
        DEADLINE_EXCEEDED after the timeout. If a retry cannot help, raises the error immediately.
        """
        wait = ReadyWait(self.target, timeout, daemon)
        while True:
            remaining = wait.remaining()
            try:
                if wait.is_ready(self.version(timeout=remaining, cancel=cancel)):
                    return
            except SpreadError as error:
                wait.failed(error)
            time.sleep(wait.pause())

    def close(self, *, keep_mailboxes: bool = False) -> None:
        """Disconnects the mailboxes that were opened or attached over this channel, and closes the channel.

        ``keep_mailboxes``: detach the mailboxes instead of ending them. They live until their lease expires. Raises
        the SpreadError of the first mailbox whose disconnect failed. The channel closes in any case. A second call
        has no effect.
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
        try:
            self.close()
        except SpreadError:
            # An error of the exit must not replace the error of the body.
            if exc is None:
                raise

    def _connect(
        self,
        options: MailboxOptions,
        timeout: Optional[float],
        cancel: Optional[Cancellation],
        on_closed: Callable[[], None],
    ) -> Mailbox:
        reject_unknown(options, MailboxOptions)
        settings = to_receive_settings(options)
        init = self._rpc.call(calls.connect(options), timeout, cancel)
        return self._keep(init, settings, on_closed)

    def _keep(self, init: MailboxInit, settings: ReceiveSettings, on_closed: Callable[[], None]) -> Mailbox:
        def closed(mailbox: Mailbox) -> None:
            self._mailboxes.discard(mailbox)
            on_closed()

        mailbox = Mailbox(self._rpc, self._timers, init, settings, closed)
        self._mailboxes.add(mailbox)
        return mailbox


@atexit.register
def _stop_background_work() -> None:
    for sidecar in list(_open):
        sidecar.close(keep_mailboxes=True)
