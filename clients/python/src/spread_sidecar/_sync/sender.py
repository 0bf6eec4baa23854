"""Sends many messages fast and in order over one stream."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Type, Union

import grpc

from .._core.batch_encoder import encode_batch, encode_open
from .._core.local_errors import cancelled_error, check_timeout, timeout_error
from .._core.outgoing import to_groups, to_outgoing
from .._core.rules.send_window import Frame, SendWindow
from ..cancellation import Cancellation
from ..errors import SpreadError
from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..info import OutgoingMessage, SenderProgress
from ..options import Payload
from ..refusal import Refusal
from .rpc import Rpc, convert

_log = logging.getLogger("spread_sidecar")


class Sender:
    """Sends many messages fast and in order over one stream. Thread-safe. ``Mailbox.sender()`` returns it.

    Messages that are sent while the client writes a frame share the next frame. The client does not replace a broken
    stream, because that could send a message twice. All later calls raise the same error, and ``undecided`` contains
    the messages with an unknown outcome.
    """

    def __init__(
        self,
        rpc: Rpc,
        mailbox_id: str,
        window: SendWindow,
        on_refused: Optional[Callable[[Refusal], None]],
        on_use: Callable[[], None],
    ) -> None:
        self._mailbox_id = mailbox_id
        self._window = window
        self._on_refused = on_refused
        self._on_use = on_use
        self._lock = threading.Lock()
        # For the writing thread, and for threads that wait for decisions.
        self._work = threading.Condition(self._lock)
        self._decided = threading.Condition(self._lock)
        self._writer_waits = False
        self._over = False
        # The last given groups, validated.
        self._last_groups: tuple[object, tuple[str, ...]] = (None, ())
        self._endpoint = rpc.endpoint
        self._call: Any = rpc.multicast_stream(self._frames())
        self._thread = threading.Thread(target=self._read, name="spread-sidecar-sender", daemon=True)
        self._thread.start()

    @property
    def progress(self) -> SenderProgress:
        """The progress."""
        with self._lock:
            return self._window.progress

    @property
    def closed(self) -> bool:
        """Whether the sender has ended and cannot send."""
        return self._window.closing or self._window.failure is not None

    @property
    def undecided(self) -> list[OutgoingMessage]:
        """The sent messages that were neither passed to the daemon nor rejected, oldest first.

        After a failure, their outcome is unknown.
        """
        with self._lock:
            return self._window.undecided

    def send(
        self,
        service_type: int,
        groups: Union[str, Iterable[str]],
        payload: Payload,
        message_type: int = 0,
        *,
        self_discard: bool = False,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        cancel: Optional[Cancellation] = None,
    ) -> None:
        """Sends a message to the members of one group or of several groups. ``headers`` are as in
        ``Mailbox.multicast``.

        Waits only at the limit of messages in flight. The call does not wait until the daemon gets the message; use
        ``flush`` for that. Raises SpreadError if the sender has ended or the service type is invalid. If the sidecar
        rejects the message later, the sender reports it; see ``Mailbox.sender``. After a timeout or a cancellation,
        the message was not sent.
        """
        last, destinations = self._last_groups
        if groups is not last:
            destinations = to_groups(groups)
            # Only immutable arguments can be compared by identity.
            if type(groups) in (str, tuple):
                self._last_groups = (groups, destinations)
        message = to_outgoing(service_type, destinations, payload, message_type, self_discard, headers)
        window = self._window
        with self._lock:
            if window.failure or window.closing or window.full:
                self._wait_for_room(timeout, cancel)
            window.add(message)
            if self._writer_waits:
                self._wake_writer()

    def flush(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> SenderProgress:
        """Waits until all earlier messages were passed to the daemon or rejected.

        Raises MessagesRefused if messages were rejected and ``on_refused`` is not set. Raises SpreadError if the
        stream broke.
        """
        window = self._window
        with self._lock:
            until = window.flush()
            if self._writer_waits and window.has_frame:
                self._wake_writer()
            doing = "waiting for the sidecar to accept or reject messages"
            self._wait(lambda: window.decided >= until, timeout, cancel, doing)
            if window.decided < until and window.failure:
                raise window.failure.with_traceback(None)
            window.check_refusals()
            return window.progress

    def close(self, *, timeout: Optional[float] = None, cancel: Optional[Cancellation] = None) -> SenderProgress:
        """Flushes the messages and ends the stream. A second call waits for the first call. Raises the same errors as
        ``flush``.
        """
        window = self._window
        with self._lock:
            window.closing = True
            self._work.notify()
            self._wait(lambda: self._over, timeout, cancel, "waiting for the sidecar to accept or reject messages")
        self._join()
        with self._lock:
            if window.failure:
                raise window.failure.with_traceback(None)
            window.check_refusals()
            return window.progress

    def abort(self) -> None:
        """Ends the stream without waiting. The outcome of messages that were neither passed to the daemon nor
        rejected is unknown.
        """
        if self._over:
            return
        with self._lock:
            error = self._window.aborted()
        self._fail(error)
        self._call.cancel()
        self._join()

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if exc is None:
            self.close()
        else:
            self.abort()

    def _wait_for_room(self, timeout: Optional[float], cancel: Optional[Cancellation]) -> None:
        window = self._window
        window.check_open()
        self._wait(lambda: not window.full or window.closing, timeout, cancel, "waiting for room to send")
        window.check_open()

    def _wait(
        self,
        done: Callable[[], bool],
        timeout: Optional[float],
        cancel: Optional[Cancellation],
        doing: str,
    ) -> None:
        """Waits until ``done`` or a failure. The caller holds the lock."""
        check_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        unbind: Optional[Callable[[], None]] = None
        if cancel is not None:
            self._lock.release()
            try:
                unbind = cancel.on_cancel(self._wake)
            finally:
                self._lock.acquire()
        try:
            while not done() and not self._window.failure:
                if cancel is not None and cancel.cancelled:
                    raise cancelled_error(f"cancelled while {doing}")
                pause = None if deadline is None else deadline - time.monotonic()
                if pause is not None and pause <= 0:
                    raise timeout_error(f"the timeout of {timeout:g} s passed while {doing}")
                self._decided.wait(pause)
        finally:
            if unbind is not None:
                unbind()

    def _wake_writer(self) -> None:
        """Wakes the writing thread, which waits. The caller holds the lock."""
        self._writer_waits = False
        self._work.notify()

    def _wake(self) -> None:
        with self._lock:
            self._decided.notify_all()

    def _frames(self) -> Iterator[bytes]:
        """The frames for gRPC. A thread of gRPC asks for the next frame after it has written the previous one.
        """
        yield encode_open(self._mailbox_id)
        while True:
            frame = self._next_frame()
            if frame is None:
                return
            self._on_use()
            yield encode_batch(frame.messages, frame.respond)

    def _next_frame(self) -> Optional[Frame]:
        """Waits for the next frame. None at the end."""
        window = self._window
        with self._lock:
            while not window.has_frame and not window.closing and not window.failure:
                self._writer_waits = True
                self._work.wait()
            return window.next_frame()

    def _read(self) -> None:
        try:
            for answer in self._call:
                self._on_answer(answer)
            error = self._window.ended_early()
        except grpc.RpcError as rpc_error:
            error = convert(rpc_error, self._endpoint)
            error.outcome = self._window.outcome_of(error)
        except SpreadError as violation:
            error = violation
            self._call.cancel()
        except Exception as defect:
            _log.exception("unexpected error in a sender")
            error = SpreadError(
                "unexpected error in the sender; the logger spread_sidecar logged the cause",
                status="INTERNAL",
                outcome="unknown",
            )
            error.__cause__ = defect
            self._call.cancel()
        if error is not None:
            self._fail(error)
        with self._lock:
            self._over = True
            self._decided.notify_all()
            self._work.notify_all()

    def _on_answer(self, answer: service.MulticastStreamResponse) -> None:
        self._on_use()
        with self._lock:
            refusals = self._window.answered(answer)
            if self._on_refused is None:
                for refusal in refusals:
                    self._window.keep_refusal(refusal)
        if self._on_refused is not None:
            for refusal in refusals:
                try:
                    self._on_refused(refusal)
                except Exception:
                    _log.exception("the callback on_refused failed")
        # After the rejected messages were reported, so that threads that wait for decisions see them.
        with self._lock:
            self._decided.notify_all()

    def _fail(self, error: SpreadError) -> None:
        with self._lock:
            self._window.fail(error)
            self._work.notify_all()
            self._decided.notify_all()

    def _join(self) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join(5.0)
