"""Fills an inbox from Receive streams, in its own thread."""

from __future__ import annotations

import logging
import threading
from typing import Any, Callable, Optional

import grpc

from .._core.rules.receiving import FINISH_SECONDS, ReceiveRules, Verdict
from ..errors import SpreadError
from ..notices import Detached, Ended, Notice
from .inbox import Inbox
from .rpc import Rpc, convert
from .timers import Timer, Timers

_log = logging.getLogger("spread_sidecar")


class Receiver:
    """Pauses while the inbox is full. When a stream breaks, attaches again after the last event."""

    def __init__(
        self,
        rpc: Rpc,
        timers: Timers,
        inbox: Inbox,
        rules: ReceiveRules,
        on_notice: Callable[[Notice, str], None],
    ) -> None:
        self._rpc = rpc
        self._timers = timers
        self._inbox = inbox
        self._rules = rules
        self._on_notice = on_notice
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._call: Any = None
        self._watchdog: Optional[Timer] = None
        # The error of a stream that the watchdog cancelled.
        self._silence: Optional[SpreadError] = None
        self._closed = threading.Event()
        # Set when no event will arrive for now: after the end, or during a pause.
        self._settled = threading.Event()
        #: Whether receiving has started.
        self.started = False

    @property
    def holds_lease(self) -> bool:
        """Whether a stream is attached, as far as the client knows."""
        return self._rules.holds_lease

    def start(self) -> None:
        """Starts to receive. Later calls have no effect."""
        with self._lock:
            if self._thread is not None or self._inbox.ended:
                return
            self._rules.begin()
            self._thread = threading.Thread(target=self._run, name="spread-sidecar-receive", daemon=True)
            self._thread.start()
            self.started = True

    def finish(self) -> None:
        """Closes the receiver after a disconnect.

        Waits up to 1 s for the last events of the stream, but not while the inbox is full.
        """
        if self._call is not None and threading.current_thread() is not self._thread:
            self._settled.wait(FINISH_SECONDS)
        self.close()

    def close(self) -> None:
        """Stops receiving without an error. Events in the inbox remain available."""
        self._closed.set()
        with self._lock:
            call = self._call
            thread = self._thread
        if call is not None:
            call.cancel()
        self._end(None)
        if thread is not None and thread is not threading.current_thread():
            # Limited, because a callback of the application may block.
            thread.join(5.0)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                verdict = self._receive_stream()
                if verdict is None or self._closed.is_set() or not self._prepare_next(verdict):
                    return
        except Exception as error:
            _log.exception("unexpected error in a receiver")
            defect = SpreadError(
                "unexpected error in the receiver; the logger spread_sidecar logged the cause", status="INTERNAL"
            )
            defect.__cause__ = error
            self._end(defect)
        finally:
            self._settled.set()

    def _receive_stream(self) -> Optional[Verdict]:
        """Reads one stream until its end. Returns the next action, or None if receiving has ended."""
        try:
            call = self._open()
            if call is None:
                return None
            for response in call:
                if not self._on_frame(response):
                    call.cancel()
                    return None
            return self._rules.closed()
        except grpc.RpcError as error:
            # A stream that the watchdog cancelled does not count as cancelled by the application.
            return self._rules.broken(self._silence or convert(error, self._rpc.endpoint))
        except SpreadError as error:
            return self._rules.broken(error)
        finally:
            with self._lock:
                self._call = None
                if self._watchdog is not None:
                    self._watchdog.cancel()

    def _open(self) -> Any:
        call = self._rpc.receive(self._rules.request())
        with self._lock:
            if not self._closed.is_set():
                self._call = call
                self._silence = None
                self._rules.opened()
                self._watch_later(call)
                return call
        call.cancel()
        return None

    def _on_frame(self, response: Any) -> bool:
        received = self._rules.take(response)
        if received.events and self._inbox.push(received.events) and received.failure is None:
            self._pause()
        if received.notice is not None:
            self._on_notice(received.notice, received.private_group)
        if received.failure is not None:
            self._end(received.failure)
        return received.failure is None and not self._closed.is_set()

    def _pause(self) -> None:
        """Stops reading from the stream, so that flow control stops the sidecar."""
        self._rules.pause()
        self._settled.set()
        self._inbox.wait_for_room()
        if not self._closed.is_set():
            self._settled.clear()
        self._rules.resume()

    def _prepare_next(self, verdict: Verdict) -> bool:
        """Handles the end of a stream. Returns False if receiving has ended."""
        if verdict.ended:
            self._end(verdict.error)
            return False
        if verdict.detached is not None:
            self._on_notice(Detached(verdict.detached), "")
        self._closed.wait(verdict.pause)
        if self._rules.fetching_rest:
            # The last events of an ended mailbox wait until the inbox has space. Each further stream would
            # overfill it.
            self._inbox.wait_for_room()
        return True

    def _watch_later(self, call: Any) -> None:
        """Starts the timer of the watchdog. The caller holds the lock."""
        pause = self._rules.silent_in()
        self._watchdog = None if pause is None else self._timers.after(pause, lambda: self._watch(call))

    def _watch(self, call: Any) -> None:
        """Cancels a stream without any frame for too long, which then counts as broken."""
        with self._lock:
            if self._call is not call or self._closed.is_set() or self._inbox.ended:
                return
            left = self._rules.silent_in()
            if left is None or left > 0:
                self._watch_later(call)
                return
            self._silence = self._rules.silence()
        call.cancel()

    def _end(self, error: Optional[SpreadError]) -> None:
        if self._inbox.end(error):
            self._on_notice(Ended(error), "")
        self._settled.set()
