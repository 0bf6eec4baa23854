"""A connection to a Spread daemon, as the wrapper had it."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Callable, Optional, TypeVar, Union

import spread_sidecar
from spread_sidecar import Mailbox, RegularMessage, RejectedMessage, SelfLeaveMessage, TransitionalMessage, ViewMessage
from spread_sidecar.constants import CONNECTION_CLOSED, ILLEGAL_SESSION, REGULAR_MESS, SELF_DISCARD

from . import _errors
from ._arguments import to_int, to_int16
from ._goodbyes import say_in_background
from ._messages import MembershipMsgType, RegularMsgType
from ._readiness import Readiness
from ._text import Text, TextRule

_Result = TypeVar("_Result")

#: With these the wrapper's mailbox was closed from then on.
_CLOSED_NUMBERS = (CONNECTION_CLOSED, ILLEGAL_SESSION)


class MailboxType:
    """A connection to a Spread daemon, made by ``connect``.

    One thread may receive while others send. Every failure of Spread is a SpreadError, every argument of a wrong type a
    TypeError.
    """

    def __init__(self, mailbox: Mailbox, rule: TextRule) -> None:
        self._mailbox = mailbox
        self._rule = rule
        self._closed = False
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._readiness: Optional[Readiness] = None

    @property
    def private_group(self) -> Text:
        """The private group that the daemon assigned, such as ``#user#node1``."""
        return self._rule.name_out(self._mailbox.private_group)

    def disconnect(self) -> None:
        """Ends the connection; a second time it does nothing. The descriptor of ``fileno`` is closed.

        Like SP_disconnect it does not fail: a mailbox that can't be told of it ends by itself, after its lease.
        """
        self._disconnect(None)

    def fileno(self) -> int:
        """A descriptor that selects readable exactly when ``receive`` will not block: a message has come, or the end.

        It is there to be waited for, not to be read from.
        """
        with self._lock:
            self._check_open("fileno")
            if self._readiness is None:
                self._readiness = Readiness()
                self._mailbox.observe_readiness(self._readiness.set)
            return self._readiness.fileno()

    def join(self, group: Text) -> None:
        """Joins a group. The view that shows it comes as a message."""
        name = self._rule.name_in(group, "group")
        self._check_open("join")
        self._call(lambda: self._mailbox.join(name))

    def leave(self, group: Text) -> None:
        """Leaves a group."""
        name = self._rule.name_in(group, "group")
        self._check_open("leave")
        self._call(lambda: self._mailbox.leave(name))

    def multicast(self, service_type: int, group: Text, message: object, message_type: int = 0) -> int:
        """Sends a message to all members of a group, or to a private group; returns the bytes sent.

        ``service_type`` is one of UNRELIABLE_MESS to SAFE_MESS, with SELF_DISCARD added or not; ``message_type`` is the
        application's own number, -32768 to 32767.
        """
        name = self._rule.name_in(group, "group")
        return self._multicast("multicast", service_type, (name,), message, message_type)

    def multigroup_multicast(
        self, service_type: int, groups: tuple[Text, ...], message: object, message_type: int = 0
    ) -> int:
        """Sends one message to all members of several groups, which are a tuple; returns the bytes sent."""
        if not isinstance(groups, tuple):
            raise TypeError("only tuples are allowed for groups")
        if not groups:
            raise ValueError("there must be at least one group in the tuple")
        names = tuple(self._rule.name_in(group, "groups") for group in groups)
        return self._multicast("multigroup_multicast", service_type, names, message, message_type)

    def receive(self) -> Union[RegularMsgType, MembershipMsgType]:
        """The next message, waiting for it if need be.

        When Spread, or another thread, has ended the connection: SpreadError CONNECTION_CLOSED.
        """
        self._check_open("receive")
        try:
            event = self._mailbox.receive()
        except spread_sidecar.SpreadError as error:
            self._ended()
            raise _errors.of_end(error) from error
        if isinstance(event, RegularMessage):
            return RegularMsgType(event, self._rule)
        if isinstance(event, (ViewMessage, TransitionalMessage, SelfLeaveMessage)):
            return MembershipMsgType(event, self._rule)
        kind = event.spread_type if isinstance(event, RejectedMessage) else event.kind
        raise _errors.SpreadError(f"Unknown message type: {kind}")

    def poll(self) -> int:
        """1 if ``receive`` can be called without blocking, else 0. Also 1 when it would tell the end."""
        self._check_open("poll")
        return int(self._mailbox.ready)

    def __del__(self) -> None:
        # As the wrapper did: a mailbox that nobody has any more is disconnected.
        if not getattr(self, "_closed", True) and self._is_of_this_process():
            self._closed = True
            mailbox, readiness = self._mailbox, self._readiness

            def goodbye() -> None:
                try:
                    mailbox.disconnect()
                finally:
                    if readiness is not None:
                        readiness.close()

            say_in_background(goodbye)

    def _is_of_this_process(self) -> bool:
        """Whether it is not a copy that a fork has made: what is a goodbye there would end it here."""
        return self._process == os.getpid()

    def _multicast(
        self, method: str, service_type: int, groups: tuple[str, ...], message: object, message_type: int
    ) -> int:
        service = to_int(service_type, "service_type")
        short = to_int16(message_type, "message_type")
        payload = self._rule.payload_in(message)
        self._check_open(method)
        if service & ~(REGULAR_MESS | SELF_DISCARD):
            raise ValueError("invalid service type")
        return self._call(lambda: self._mailbox.multigroup_multicast(service, groups, payload, short))

    def _call(self, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except spread_sidecar.SpreadError as error:
            failure = _errors.of_call(error)
            if failure.args[0] in _CLOSED_NUMBERS:
                self._ended()
            raise failure from error

    def _check_open(self, method: str) -> None:
        if self._closed:
            raise _errors.closed_mailbox(method)

    def _disconnect(self, timeout: Optional[float]) -> None:
        if self._close():
            try:
                with contextlib.suppress(spread_sidecar.SpreadError):
                    self._mailbox.disconnect(timeout=timeout)
            finally:
                self._close_descriptor()

    def _ended(self) -> None:
        """There is no mailbox any more: what belongs to it on this side goes, without asking the sidecar."""
        if self._close():
            self._mailbox.detach()
            self._close_descriptor()

    def _close(self) -> bool:
        """Whether it was open until now: one caller alone ends it."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            return was_open

    def _close_descriptor(self) -> None:
        with self._lock:
            readiness, self._readiness = self._readiness, None
        if readiness is not None:
            self._mailbox.observe_readiness(None)
            readiness.close()
