"""A connection to a Spread daemon."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Optional, Type

from .._core import calls
from .._core.responses import MailboxInit
from .._core.calls import Call, ResultT
from .._core.local_errors import cancelled_error, check_timeout, disconnected, field_error
from .._core.outgoing import check_text
from .._core.receive_settings import ReceiveSettings
from .._core.requests import reject_unknown
from .._core.rules.failures import ends_stream_only, is_failed_disconnect
from .._core.rules.receiving import ReceiveRules
from .._core.rules.send_window import SendWindow, new_window
from ..errors import SpreadError
from ..events import ConnectionRestored, SelfLeaveMessage, SpreadEvent, ViewMessage
from ..info import (
    AcknowledgementMode,
    CurrentView,
    MailboxInfo,
    MailboxLimits,
    PollResult,
    Resumption,
    VersionTriple,
)
from ..notices import Attached, Ended, Notice
from ..options import Payload, SenderOptions
from ..refusal import Refusal
from .acknowledger import Acknowledger
from .inbox import Inbox
from .keep_alive import KeepAlive
from .opening import Opening
from .receiver import Receiver
from .rpc import Rpc
from .sender import Sender

if TYPE_CHECKING:
    from typing_extensions import Unpack

_log = logging.getLogger("spread_sidecar")


class Mailbox:
    """A connection to a Spread daemon that the sidecar owns. ``SpreadSidecar.connect`` and ``attach`` return
    it.

    All failures raise SpreadError. Several tasks may use a mailbox at the same time. Mailboxes are independent of
    each other. An ``async with`` block disconnects the mailbox at its end. A loop over the mailbox yields its events
    until the mailbox is disconnected.

    Each call takes ``timeout``, in seconds (default: the channel's ``call_timeout``). To cancel a call, cancel
    its task.
    """

    #: The mailbox ID. Keep it secret: its holder can use the mailbox.
    id: str
    daemon_version: VersionTriple
    limits: MailboxLimits
    acknowledgement: AcknowledgementMode

    def __init__(
        self,
        rpc: Rpc,
        init: MailboxInit,
        settings: ReceiveSettings,
        on_closed: Callable[[Mailbox], Awaitable[None]],
    ) -> None:
        self.id = init.id
        self.daemon_version = init.daemon_version
        self.limits = init.limits
        self.acknowledgement = init.acknowledgement
        self._rpc = rpc
        self._private_group = init.private_group
        self._daemon = init.daemon
        self._on_closed = on_closed
        self._tell = settings.on_notice
        self._senders: list[Sender] = []
        self._ending: Optional[asyncio.Task[bool]] = None
        self._closed = False
        self._inbox = Inbox(settings.max_buffered_events, settings.max_buffered_bytes, init.after_sequence)
        plan = settings.plan(init.id, init.after_sequence, init.limits.lease)
        rules = ReceiveRules(plan, rpc.may_pass, rpc.endpoint.name)
        self._receiver = Receiver(rpc, self._inbox, rules, self._on_notice)
        self._acknowledger: Optional[Acknowledger] = None
        if init.acknowledgement == "EXPLICIT" and not settings.manual_acknowledgement:
            self._acknowledger = Acknowledger(rpc, init.id, self._inbox.end)
        self._keep_alive: Optional[KeepAlive] = None
        if settings.keep_alive:
            self._keep_alive = KeepAlive(init.limits.lease, lambda: self._receiver.holds_lease, self._ping)
        if settings.auto_receive:
            self._receiver.start()

    @property
    def private_group(self) -> str:
        """The private group from the daemon, such as ``#alice#node1``. Only this mailbox receives messages to this
        group.

        Can change after a ConnectionRestored.
        """
        return self._private_group

    @property
    def daemon(self) -> str:
        """The Spread name of the daemon. The daemon can change after a ConnectionRestored."""
        return self._daemon

    @property
    def last_sequence(self) -> int:
        """The sequence of the last event that the application received. 0 if none."""
        return self._inbox.last_taken

    @property
    def ready(self) -> bool:
        """Whether ``receive()`` does not have to wait. It then returns an event, or raises the error that ended the
        mailbox. False before the client has started to receive.
        """
        return self._inbox.ready

    async def join(
        self, group: str, *, await_view: bool = False, timeout: Optional[float] = None
    ) -> Optional[ViewMessage]:
        """Joins a group (SP_join). No effect if the mailbox is already a member.

        With ``await_view``, waits for the first view that contains this mailbox, and returns the view. The mailbox
        also receives this view as an event.
        """
        return await self._call(calls.join(self.id, group, await_view), timeout)

    async def leave(
        self, group: str, *, await_view: bool = False, timeout: Optional[float] = None
    ) -> Optional[SelfLeaveMessage]:
        """Leaves a group (SP_leave). No effect if the mailbox is not a member.

        With ``await_view``, waits for the self-leave, and returns it. Returns None if the mailbox was not a member.
        The mailbox also receives the self-leave as an event.
        """
        return await self._call(calls.leave(self.id, group, await_view), timeout)

    async def multicast(
        self,
        service_type: int,
        group: str,
        message: Payload,
        message_type: int = 0,
        *,
        self_discard: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> int:
        """Sends a message to all members of a group, or to a private group (SP_multicast). The sender does not need
        to be a member of the group.

        ``service_type`` is one of UNRELIABLE_MESS to SAFE_MESS, optionally with SELF_DISCARD. ``group`` has 1
        to 31 characters from ``$`` to ``~``, or is a private group. ``message`` has at most 143,119 bytes; text
        is sent as UTF-8. ``message_type`` is the application's own number, -32768 to 32767.
        ``headers`` are names with text values, at most 8,192 bytes together. A name has 1 to 64 characters of
        ``a-z 0-9 - _ .``.

        Returns the size of the message in bytes after the daemon connection accepted it. The ``outcome`` of a
        SpreadError says whether the message may have been sent.
        """
        groups = (check_text("group", group),)
        return await self.multigroup_multicast(
            service_type,
            groups,
            message,
            message_type,
            self_discard=self_discard,
            headers=headers,
            timeout=timeout,
        )

    async def multigroup_multicast(
        self,
        service_type: int,
        groups: Iterable[str],
        message: Payload,
        message_type: int = 0,
        *,
        self_discard: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> int:
        """Sends one message to all members of several groups (SP_multigroup_multicast).

        A mailbox that is in several of these groups receives the message once. ``groups`` has 1 to
        ``limits.max_groups_per_message`` groups. In all other respects, the method works like ``multicast``.
        """
        call = calls.multicast(self.id, service_type, groups, message, message_type, self_discard, headers)
        return await self._call(call, timeout)

    def sender(
        self, *, on_refused: Optional[Callable[[Refusal], None]] = None, **options: Unpack[SenderOptions]
    ) -> Opening[Sender]:
        """Opens a stream that sends many messages. A stream is faster than one call for each message.

        The messages of the stream keep their order. Call ``flush()`` before a call of this mailbox that must come
        after these messages. The client calls ``on_refused`` for each rejected message, in order. ``on_refused`` must
        not block. If it is not set, the next ``flush()`` or ``close()`` raises MessagesRefused, which contains the
        first 100 errors.

        Use ``await`` or ``async with``.
        """
        reject_unknown(options, SenderOptions)
        return Opening(self._open_sender(new_window(options), on_refused))

    async def receive(self, timeout: Optional[float] = None) -> SpreadEvent:
        """Waits for the next event (SP_receive). The first call starts to receive.

        If a stream breaks, the client resumes on a new stream. Each event arrives once and in order, also if a call
        is cancelled. ``timeout`` is the maximum time to wait, in seconds. With 0, the call does not wait. Default: no
        limit. After this time, the call raises SpreadError with status DEADLINE_EXCEEDED. After the last event, it
        raises SpreadError with the reason why the mailbox ended. After ``disconnect``, the code is ILLEGAL_SESSION.
        """
        if timeout:
            check_timeout(timeout)
        if not self._receiver.started:
            self._receiver.start()
        if self._acknowledger is not None:
            self._acknowledger.request(self._inbox.last_taken)
        event = await self._inbox.take(timeout)
        if type(event) is ConnectionRestored:
            self._on_restored(event)
        return event

    async def receive_many(self, max_events: int = 1000, timeout: Optional[float] = None) -> list[SpreadEvent]:
        """Waits for the next event, and returns it with all other events that have arrived. Use it for high rates.

        In all other respects, the method works like ``receive``. With automatic acknowledgement, the next call
        acknowledges all returned events.
        """
        if max_events < 1:
            raise field_error("max_events", "a whole number, 1 or more", max_events)
        events = [await self.receive(timeout)]
        more = self._inbox.take_more(max_events - 1)
        for event in more:
            if type(event) is ConnectionRestored:
                self._on_restored(event)
        return events + more

    async def __aiter__(self) -> AsyncIterator[SpreadEvent]:
        """Iterates over the mailbox's events until the mailbox disconnects. The end of the loop does not end the
        mailbox.
        """
        while True:
            try:
                event = await self.receive()
            except SpreadError:
                if self._inbox.exhausted:
                    return
                raise
            yield event

    async def poll(self, *, timeout: Optional[float] = None) -> PollResult:
        """Counts the queued events without receiving them (SP_poll)."""
        return await self._call(calls.poll(self.id, lambda: len(self._inbox)), timeout)

    async def acknowledge(self, up_to: Optional[int] = None, *, timeout: Optional[float] = None) -> int:
        """Acknowledges events, so that the sidecar releases them. Required with EXPLICIT acknowledgement and
        ``manual_acknowledgement``.

        ``up_to``: sequence of the last event to acknowledge; default: the last event that the application
        received. Returns the sequence of the last acknowledged event.
        """
        sequence = self._inbox.last_taken if up_to is None else up_to
        return await self._call(calls.acknowledge(self.id, sequence), timeout)

    async def view(self, group: str, *, timeout: Optional[float] = None) -> CurrentView:
        """Returns the current view of a group of this mailbox, without waiting for a change."""
        return await self._call(calls.view(self.id, group), timeout)

    async def info(self, *, timeout: Optional[float] = None) -> MailboxInfo:
        """Returns the state and the counters of the mailbox in the sidecar."""
        return await self._call(calls.info(self.id), timeout)

    async def disconnect(
        self, *, leave_groups_first: bool = False, abort: bool = False, timeout: Optional[float] = None
    ) -> bool:
        """Ends the mailbox (SP_disconnect). The application can still receive the events that arrived before the
        call.

        ``leave_groups_first``: leave all groups first, so that other members see LEAVE instead of DISCONNECT.
        ``abort``: close the daemon connection without a disconnect message (SP_kill), for failure tests.

        The client releases its resources even if the call fails. In that case, the sidecar ends the mailbox when the
        lease expires. Returns True if this call ended the mailbox. Returns False if the mailbox had already ended, or
        if the sidecar is shutting down or unreachable. A second call waits for the first call and has the same
        result.
        """
        if self._ending is not None:
            return await asyncio.shield(self._ending)
        call = asyncio.create_task(self._call(calls.disconnect(self.id, leave_groups_first, abort), timeout))
        ending = self._ending = asyncio.create_task(self._disconnect(call))
        try:
            # Shielded, so that a cancelled caller does not leave a half-closed mailbox.
            return await asyncio.shield(ending)
        except asyncio.CancelledError:
            # C3: the call ends, and the mailbox closes without it.
            if call.cancel():
                await asyncio.wait([ending])
            raise

    async def close(self) -> None:
        """The same as ``disconnect``."""
        await self.disconnect()

    async def detach(self) -> Resumption:
        """Detaches from the mailbox without ending it.

        To resume the mailbox, pass the returned values to ``SpreadSidecar.attach`` within the lease. Another process
        can do this too.
        """
        await self._receiver.close()
        await self._close()
        return Resumption(self.id, self._inbox.last_taken)

    async def __aenter__(self) -> Mailbox:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.disconnect()
        except SpreadError:
            # An error of the exit must not replace the error of the body.
            if exc is None:
                raise

    async def _open_sender(self, window: SendWindow, on_refused: Optional[Callable[[Refusal], None]]) -> Sender:
        if self._closed:
            raise disconnected()
        sender = Sender(await self._rpc.multicast_stream(), self._rpc.endpoint, self.id, window, on_refused, self._used)
        self._senders = [old for old in self._senders if not old.closed]
        self._senders.append(sender)
        return sender

    async def _disconnect(self, call: asyncio.Task[bool]) -> bool:
        try:
            await asyncio.wait([call])
            if call.cancelled():
                raise cancelled_error("the caller cancelled the disconnect")
            was_open = call.result()
            await self._receiver.finish()
            return was_open
        except SpreadError as error:
            if is_failed_disconnect(error, self._inbox.failure, call.cancelled()):
                raise
            return False
        finally:
            await self._receiver.close()
            await self._close()

    async def _call(self, call: Call[ResultT], timeout: Optional[float]) -> ResultT:
        if self._closed:
            raise disconnected()
        self._used()
        return await self._rpc.call(call, timeout)

    def _used(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.used()

    async def _ping(self) -> None:
        # K3: ignore a failure. The next call of the application reports it.
        with contextlib.suppress(SpreadError):
            await self._rpc.call(calls.poll(self.id, lambda: 0))

    def _on_restored(self, event: ConnectionRestored) -> None:
        self._private_group = event.private_group
        self._daemon = event.daemon

    def _on_notice(self, notice: Notice, private_group: str) -> None:
        if isinstance(notice, Attached):
            self._private_group = private_group
        elif isinstance(notice, Ended) and notice.error is not None and not ends_stream_only(notice.error):
            self._stop_background_work()
        if self._tell is not None:
            try:
                self._tell(notice)
            except Exception:
                _log.exception("the callback on_notice failed")

    def _stop_background_work(self) -> list[asyncio.Task[Any]]:
        """Stops all background work of the mailbox.

        Returns the ending tasks.
        """
        ending: list[asyncio.Task[Any]] = []
        acknowledging = self._acknowledger.close() if self._acknowledger is not None else None
        if acknowledging is not None:
            ending.append(acknowledging)
        if self._keep_alive is not None:
            ending.append(self._keep_alive.close())
        return ending

    async def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        current = asyncio.current_task()
        ending = [task for task in self._stop_background_work() if task is not current]
        if ending:
            await asyncio.wait(ending)
        senders, self._senders = self._senders, []
        for sender in senders:
            await sender.abort()
        await self._on_closed(self)
