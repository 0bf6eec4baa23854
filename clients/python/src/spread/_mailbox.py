"""A connection to a Spread daemon, with the API of the wrapper."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Callable, Mapping, Optional, TypeVar, Union

import spread_sidecar
from spread_sidecar import Mailbox, RegularMessage, RejectedMessage, SelfLeaveMessage, TransitionalMessage, ViewMessage
from spread_sidecar.constants import (
    CONNECTION_CLOSED,
    ILLEGAL_GROUP,
    ILLEGAL_SERVICE,
    ILLEGAL_SESSION,
    MAX_GROUP_NAME,
    MESSAGE_TOO_LONG,
    REGULAR_MESS,
    SELF_DISCARD,
)

from . import _errors
from ._arguments import to_int, to_int16
from ._disconnects import disconnect_in_background
from ._messages import MembershipMsgType, RegularMsgType
from ._names import cut_destination, has_receivers
from ._outgoing import OutgoingMessages
from ._readiness import Readiness
from ._text import Text, TextRule

_Result = TypeVar("_Result")

#: After these errors, the wrapper's mailbox was closed.
_CLOSED_NUMBERS = (CONNECTION_CLOSED, ILLEGAL_SESSION)

_SERVICE_BITS = REGULAR_MESS | SELF_DISCARD

#: Maximum time that an ending mailbox waits for earlier multicasts. Unit: seconds.
_FLUSH_TIME = 30.0

#: Maximum time of the disconnect in the background, after the program has received the end of a mailbox. Unit:
#: seconds.
_GIVE_UP_TIME = 5.0


class MailboxType:
    """A connection to a Spread daemon, which ``connect`` returns.

    One thread may receive while other threads send. Failures of Spread raise SpreadError. Arguments of a wrong type
    raise TypeError.
    """

    __slots__ = (
        "__weakref__",
        "_assigned",
        "_closed",
        "_last_target",
        "_lock",
        "_mailbox",
        "_max_bytes",
        "_max_groups",
        "_outgoing",
        "_process",
        "_readiness",
        "_rule",
    )

    def __init__(self, mailbox: Mailbox, rule: TextRule) -> None:
        self._mailbox = mailbox
        self._rule = rule
        self._closed = False
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._readiness: Optional[Readiness] = None
        self._outgoing = OutgoingMessages(mailbox)
        # 0 for a sidecar that does not report the limit.
        self._max_groups = mailbox.limits.max_groups_per_message or sys.maxsize
        self._max_bytes = mailbox.limits.max_message_bytes or sys.maxsize
        # The destination of the last multicast, as it was given and as it is sent.
        self._last_target: tuple[object, tuple[str, ...], int] = (None, (), 0)
        # The value that the program assigned to private_group. Empty if none.
        self._assigned: tuple[object, ...] = ()

    @property
    def private_group(self) -> Text:
        """The private group that the daemon assigned, such as ``#user#node1``.

        As in the wrapper, a program may assign a different value. This only changes the attribute.
        """
        if self._assigned:
            return self._assigned[0]  # type: ignore[return-value]
        return self._rule.name_out(self._mailbox.private_group)

    @private_group.setter
    def private_group(self, value: object) -> None:
        self._assigned = (value,)

    @private_group.deleter
    def private_group(self) -> None:
        self._assigned = (None,)

    def disconnect(self) -> None:
        """Ends the connection after all messages are sent. A second call has no effect.

        Also closes the descriptor of ``fileno``. Like SP_disconnect, the call does not fail. If the sidecar is
        unreachable, the mailbox ends after its lease.
        """
        self._disconnect(None)

    def fileno(self) -> int:
        """Returns a descriptor that is readable exactly when ``receive`` would not block: a message has arrived, or
        the connection has ended.

        Use it only to wait, not to read.
        """
        with self._lock:
            self._check_open("fileno")
            if self._readiness is None:
                self._readiness = Readiness()
                self._mailbox.observe_readiness(self._readiness.set)
            return self._readiness.fileno()

    def join(self, group: Text, /) -> None:
        """Joins a group. The mailbox then receives the first view that contains this mailbox."""
        name = self._rule.name_in(group, "group")
        self._check_open("join")
        self._call(lambda: self._in_order(lambda: self._mailbox.join(name)))

    def leave(self, group: Text, /) -> None:
        """Leaves a group."""
        name = self._rule.name_in(group, "group")
        self._check_open("leave")
        self._call(lambda: self._in_order(lambda: self._mailbox.leave(name)))

    def multicast(
        self,
        service_type: int,
        group: Text,
        message: object,
        message_type: int = 0,
        /,
        *,
        headers: Optional[Mapping[str, str]] = None,
    ) -> int:
        """Sends a message to all members of a group, or to a private group. Returns the size of the message in
        bytes.

        ``service_type`` is one of UNRELIABLE_MESS to SAFE_MESS, optionally with SELF_DISCARD. ``group`` is
        truncated after 31 bytes. ``message_type`` is the application's own number, -32768 to 32767.

        The call does not wait until the daemon gets the message. A message may be lost if the process is killed, or
        if Spread closes the connection. In the second case, a later call raises CONNECTION_CLOSED. The call waits
        while 10,000 messages or 4 MiB are in flight.

        ``headers`` are names with text values. The wrapper does not support them. A call with headers waits until the
        daemon connection has accepted the message, and raises SpreadError if the sidecar rejects it.
        """
        # Only immutable arguments can be compared by identity.
        if group is not self._last_target[0] or type(group) not in (str, bytes):
            name = cut_destination(self._rule.name_in(group, "group"))
            self._last_target = (group, (name,) if has_receivers(name) else (), 1)
        elif (type(group) is str) is not self._rule.names_are_text:
            self._rule.record_name_type(type(group) is str)
        return self._multicast("multicast", service_type, self._last_target, message, message_type, headers)

    def multigroup_multicast(
        self,
        service_type: int,
        groups: tuple[Text, ...],
        message: object,
        message_type: int = 0,
        /,
        *,
        headers: Optional[Mapping[str, str]] = None,
    ) -> int:
        """Sends one message to all members of several groups, given as a tuple. Returns the size of the message
        in bytes.

        In all other respects, the method works like ``multicast``.
        """
        if not isinstance(groups, tuple):
            raise TypeError("only tuples are allowed for groups")
        if not groups:
            raise ValueError("there must be at least one group in the tuple")
        names = [cut_destination(self._rule.name_in(group, "groups")) for group in groups]
        target = (None, tuple(filter(has_receivers, names)), len(groups))
        return self._multicast("multigroup_multicast", service_type, target, message, message_type, headers)

    def receive(self) -> Union[RegularMsgType, MembershipMsgType]:
        """Waits for the next message.

        Raises SpreadError CONNECTION_CLOSED after Spread or another thread has ended the connection.
        """
        if self._closed:
            raise _errors.closed_mailbox("receive")
        try:
            event = self._mailbox.receive()
        except spread_sidecar.SpreadError as error:
            self._ended()
            raise _errors.of_end(error) from None
        if type(event) is RegularMessage:
            return RegularMsgType(event, self._rule)
        if isinstance(event, (ViewMessage, TransitionalMessage, SelfLeaveMessage)):
            return MembershipMsgType(event, self._rule)
        kind = event.spread_type if isinstance(event, RejectedMessage) else event.kind
        raise _errors.SpreadError(f"Unknown message type: {kind}")

    def poll(self) -> int:
        """Returns 1 if ``receive`` would not block, otherwise 0. Also returns 1 when the connection has ended."""
        self._check_open("poll")
        return int(self._mailbox.ready)

    def __del__(self) -> None:
        # As in the wrapper, a mailbox without references is disconnected.
        if not getattr(self, "_closed", True) and self._is_of_this_process():
            self._closed = True
            mailbox, readiness, outgoing = self._mailbox, self._readiness, self._outgoing

            def disconnect() -> None:
                try:
                    with contextlib.suppress(spread_sidecar.SpreadError):
                        outgoing.close(_FLUSH_TIME)
                    mailbox.disconnect()
                finally:
                    if readiness is not None:
                        readiness.close()

            disconnect_in_background(disconnect)

    def _is_of_this_process(self) -> bool:
        """False in a forked child, whose disconnect would end the parent's mailbox."""
        return self._process == os.getpid()

    def _multicast(
        self,
        method: str,
        service_type: int,
        target: tuple[object, tuple[str, ...], int],
        message: object,
        message_type: int,
        headers: Optional[Mapping[str, str]],
    ) -> int:
        # The usual case: both numbers are in range.
        fits = type(service_type) is int and 0 <= service_type <= _SERVICE_BITS
        service = service_type if fits else to_int(service_type, "service_type")
        in_range = type(message_type) is int and -0x8000 <= message_type <= 0x7FFF
        short = message_type if in_range else to_int16(message_type, "message_type")
        if type(message) is bytes and self._rule.gives_bytes:
            payload = message
        else:
            payload = self._rule.payload_in(message)
        if self._closed:
            raise _errors.closed_mailbox(method)
        if service & ~_SERVICE_BITS:
            raise ValueError("invalid service type")
        _, names, count = target
        size = len(payload)
        if count > self._max_groups or size + count * MAX_GROUP_NAME > self._max_bytes:
            raise self._too_large(size, count)
        if names:
            if headers:
                self._multicast_with_headers(service, names, payload, short, headers)
                return size
            try:
                self._outgoing.send(service, names, payload, short)
            except spread_sidecar.SpreadError as error:
                raise self._broken(error) from None
        elif not service & REGULAR_MESS:
            raise _errors.SpreadError(ILLEGAL_SERVICE, "Illegal service request")
        return size

    def _multicast_with_headers(
        self, service: int, names: tuple[str, ...], payload: bytes, message_type: int, headers: Mapping[str, str]
    ) -> None:
        # Only the sidecar knows whether it accepts the headers: a call reports a rejected message, a stream does
        # not.
        self._call(
            lambda: self._in_order(
                lambda: self._mailbox.multigroup_multicast(service, names, payload, message_type, headers=headers)
            )
        )

    def _too_large(self, size: int, groups: int) -> _errors.SpreadError:
        """The error of a message that the sidecar would reject after the call has returned."""
        if groups > self._max_groups:
            text = f"a message can have at most {self._max_groups} groups; got {groups}"
            return _errors.SpreadError(ILLEGAL_GROUP, text)
        most = self._max_bytes - groups * MAX_GROUP_NAME
        count = f"{groups} {'group' if groups == 1 else 'groups'}"
        text = f"the payload of a message to {count} can have at most {most} bytes; got {size}"
        return _errors.SpreadError(MESSAGE_TOO_LONG, text)

    def _in_order(self, call: Callable[[], _Result]) -> _Result:
        """Makes a call after all earlier messages were sent."""
        try:
            self._outgoing.flush()
        except spread_sidecar.SpreadError as error:
            raise self._broken(error) from None
        return call()

    def _broken(self, error: spread_sidecar.SpreadError) -> _errors.SpreadError:
        """The error that the program gets for a failure of its earlier messages."""
        if error.reason == "ILLEGAL_SERVICE":
            return _errors.of_call(error)
        # Earlier messages may be lost, so that no message may follow them: the connection has ended.
        self._ended()
        return _errors.of_end(error)

    def _call(self, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except spread_sidecar.SpreadError as error:
            failure = _errors.of_call(error)
            if failure.args[0] in _CLOSED_NUMBERS:
                self._ended()
            raise failure from None

    def _check_open(self, method: str) -> None:
        if self._closed:
            raise _errors.closed_mailbox(method)

    def _disconnect(self, timeout: Optional[float]) -> None:
        if self._close():
            try:
                with contextlib.suppress(spread_sidecar.SpreadError):
                    self._outgoing.close(_FLUSH_TIME if timeout is None else timeout)
                with contextlib.suppress(spread_sidecar.SpreadError):
                    self._mailbox.disconnect(timeout=timeout)
            finally:
                self._close_descriptor()

    def _ended(self) -> None:
        """Releases the mailbox's resources after its end.

        After a failed connection the mailbox may still exist in the sidecar. The program does not wait for its
        disconnect.
        """
        if self._close():
            mailbox = self._mailbox
            self._close_descriptor()
            disconnect_in_background(lambda: mailbox.disconnect(timeout=_GIVE_UP_TIME))

    def _close(self) -> bool:
        """Whether the mailbox was open. True for only one caller."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            return was_open

    def _close_descriptor(self) -> None:
        with self._lock:
            readiness, self._readiness = self._readiness, None
        if readiness is not None:
            self._mailbox.observe_readiness(None)
            readiness.close()
