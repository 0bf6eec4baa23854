"""A channel to a sidecar."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import TYPE_CHECKING, AsyncIterator, Awaitable, Callable, Optional, Type

from .._core import calls, responses
from .._core.responses import MailboxInit
from .._core.channel import ChannelPlan
from .._core.durations import to_count
from .._core.environment import complete_options
from .._core.rules.ready import ReadyWait
from .._core.receive_settings import ReceiveSettings, to_receive_settings
from .._core.requests import reject_unknown, to_mailbox_options
from .._core.security import to_authorization
from ..errors import SpreadError
from ..info import MailboxInfo, SidecarVersion
from ..options import AsyncSidecarOptions, AttachOptions, MailboxOptions, RequestReplyOptions
from .mailbox import Mailbox
from .opening import Opening
from .request_reply import RequestReply
from .rpc import Rpc

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SpreadSidecar:
    """A channel to a sidecar, which opens mailboxes. It connects at the first call.

    Create it in a coroutine. An ``async with`` block closes the channel at its end. For the options, see
    ``AsyncSidecarOptions``. Without ``target``, environment variables select the sidecar; see
    ``ChannelOptions.target``.
    """

    #: The target of the channel.
    target: str

    def __init__(self, **options: Unpack[AsyncSidecarOptions]) -> None:
        reject_unknown(options, AsyncSidecarOptions)
        completed = complete_options(options, os.environ)
        token = completed.get("token")
        plan = ChannelPlan(completed, token is not None)
        self.target = plan.target
        self._security = plan.security
        self._rpc = Rpc(plan, token)
        self._mailboxes: set[Mailbox] = set()
        self._closed = False

    def connect(self, *, timeout: Optional[float] = None, **options: Unpack[MailboxOptions]) -> Opening[Mailbox]:
        """Opens a mailbox (SP_connect). Use ``await`` or ``async with``. For the options, see ``MailboxOptions``.

        Raises SpreadError, for example REJECT_NOT_UNIQUE or COULD_NOT_CONNECT. In this case, no mailbox was opened.
        """
        return Opening(self._connect(options, timeout, _nothing))

    def attach(
        self, mailbox_id: str, *, timeout: Optional[float] = None, **options: Unpack[AttachOptions]
    ) -> Opening[Mailbox]:
        """Attaches to a mailbox that this process or a different process opened; see ``Mailbox.detach``.

        When the returned mailbox starts to receive, it replaces the receiver that is attached. Use ``await`` or
        ``async with``. For the options, see ``AttachOptions``.
        """
        return Opening(self._attach(mailbox_id, timeout, options))

    def open_request_reply(
        self, *, timeout: Optional[float] = None, **options: Unpack[RequestReplyOptions]
    ) -> Opening[RequestReply]:
        """Opens a mailbox that makes and handles requests. Use ``await`` or ``async with``. For the options, see
        ``RequestReplyOptions``.
        """
        return Opening(self._open_request_reply(timeout, options))

    async def version(self, *, timeout: Optional[float] = None) -> SidecarVersion:
        """Returns the versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version)."""
        return await self._rpc.call(calls.version(), timeout)

    async def list_mailboxes(
        self, admin_token: Optional[str] = None, *, page_size: int = 0, timeout: Optional[float] = None
    ) -> AsyncIterator[MailboxInfo]:
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
            page = await self._rpc.call(pages.next_call(), timeout)
            for info in page.mailboxes:
                yield info
            if not pages.follows(page):
                return

    async def wait_for_ready(self, timeout: float = 30.0, *, daemon: bool = False) -> None:
        """Waits until the sidecar responds. Retries failed attempts.

        ``daemon``: also wait until the sidecar is connected to its default daemon. Raises SpreadError with status
        DEADLINE_EXCEEDED after the timeout. If a retry cannot help, raises the error immediately.
        """
        wait = ReadyWait(self.target, timeout, daemon)
        while True:
            remaining = wait.remaining()
            try:
                if wait.is_ready(await self.version(timeout=remaining)):
                    return
            except SpreadError as error:
                wait.failed(error)
            await asyncio.sleep(wait.pause())

    async def close(self, *, keep_mailboxes: bool = False) -> None:
        """Disconnects the mailboxes that were opened or attached over this channel, and closes the channel.

        ``keep_mailboxes``: detach the mailboxes instead of ending them. They live until their lease expires. Raises
        the SpreadError of the first mailbox whose disconnect failed. The channel closes in any case. A second call
        has no effect.
        """
        if self._closed:
            return
        self._closed = True
        mailboxes = list(self._mailboxes)
        failures: list[BaseException] = []
        if keep_mailboxes:
            for mailbox in mailboxes:
                await mailbox.detach()
        else:
            ends = await asyncio.gather(*(mailbox.disconnect() for mailbox in mailboxes), return_exceptions=True)
            failures = [end for end in ends if isinstance(end, BaseException)]
        await self._rpc.close()
        if failures:
            raise failures[0]

    async def __aenter__(self) -> SpreadSidecar:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.close()
        except SpreadError:
            # An error of the exit must not replace the error of the body.
            if exc is None:
                raise

    async def _attach(self, mailbox_id: str, timeout: Optional[float], options: AttachOptions) -> Mailbox:
        reject_unknown(options, AttachOptions)
        settings = to_receive_settings(options)
        given = options.get("after_sequence")
        after = None if given is None else to_count(given, "after_sequence")
        info = await self._rpc.call(calls.info(mailbox_id), timeout)
        return self._keep(responses.attached(mailbox_id, info, after), settings, _nothing)

    async def _open_request_reply(self, timeout: Optional[float], options: RequestReplyOptions) -> RequestReply:
        mailbox = await self._connect(to_mailbox_options(options), timeout, _nothing)
        return RequestReply(mailbox, options.get("on_event"))

    async def _connect(
        self,
        options: MailboxOptions,
        timeout: Optional[float],
        on_closed: Callable[[], Awaitable[None]],
    ) -> Mailbox:
        reject_unknown(options, MailboxOptions)
        settings = to_receive_settings(options)
        init = await self._rpc.call(calls.connect(options), timeout)
        return self._keep(init, settings, on_closed)

    def _keep(self, init: MailboxInit, settings: ReceiveSettings, on_closed: Callable[[], Awaitable[None]]) -> Mailbox:
        async def closed(mailbox: Mailbox) -> None:
            self._mailboxes.discard(mailbox)
            await on_closed()

        mailbox = Mailbox(self._rpc, init, settings, closed)
        self._mailboxes.add(mailbox)
        return mailbox


async def _nothing() -> None:
    pass
