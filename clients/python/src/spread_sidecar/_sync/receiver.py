"""Fills an inbox from Receive streams, in its own thread."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Optional

import grpc

from .._core.local_errors import silence
from .._core.receive_rules import FINISH_SECONDS, SILENT_INTERVALS, ReceiveRules
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
        heartbeat_interval: float,
        on_notice: Callable[[Notice, str], None],
    ) -> None:
        self._rpc = rpc
        self._timers = timers
        self._inbox = inbox
        self._rules = rules
        self._heartbeat_interval = heartbeat_interval
        self._on_notice = on_notice
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._call: Any = None
        self._watchdog: Optional[Timer] = None
        self._last_frame = 0.0
        self._paused = False
        self._silent = False
        self._closed = threading.Event()
        # Set when no event will arrive for now: after the end, or during a pause.
        self._settled = threading.Event()
        #: Whether receiving has started.
        self.started = False

    @property
    def holds_lease(self) -> bool:
        """Whether a stream is attached, as far as the client knows. Unknown for a stream that is not read."""
        return self._rules.attached and not self._paused

    def start(self) -> None:
        """Starts to receive. Later calls have no effect."""
        with self._lock:
            if self._thread is not None or self._inbox.ended:
                return
            self._rules.begin()
            self._thread = threading.Thread(target=self._run, name="spread-sidecar-receive", daemon=True)
            self._thread.start()
            self.started = True
        self._watch()

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
                error = self._receive_stream()
                if error is None or self._closed.is_set() or not self._prepare_next(error):
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

    def _receive_stream(self) -> Optional[SpreadError]:
        """Reads one stream until its end. Returns its error, or None if receiving has ended."""
        try:
            call = self._open()
            if call is None:
                return None
            for response in call:
                self._last_frame = time.monotonic()
                if not self._on_frame(response):
                    call.cancel()
                    return None
            self._end(None)
            return None
        except grpc.RpcError as error:
            return self._explain(error)
        except SpreadError as error:
            return error
        finally:
            with self._lock:
                self._call = None

    def _explain(self, error: Any) -> SpreadError:
        """The error of a stream. A stream that this client cancelled because of missing heartbeats does not
        count as cancelled by the application.
        """
        if not self._silent:
            return convert(error, self._rpc.endpoint)
        return silence(SILENT_INTERVALS * self._heartbeat_interval)

    def _open(self) -> Any:
        call = self._rpc.receive(self._rules.request())
        with self._lock:
            self._last_frame = time.monotonic()
            self._silent = False
            if not self._closed.is_set():
                self._call = call
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
        self._paused = True
        self._settled.set()
        self._inbox.wait_for_room()
        if not self._closed.is_set():
            self._settled.clear()
        self._last_frame = time.monotonic()
        self._paused = False

    def _prepare_next(self, error: SpreadError) -> bool:
        """Handles a broken stream. Returns False if receiving has ended."""
        verdict = self._rules.broken(error)
        if verdict.end is not None:
            self._end(verdict.end)
            return False
        if verdict.detached:
            self._on_notice(Detached(error), "")
        self._closed.wait(verdict.pause)
        if self._rules.fetching_rest:
            # The last events of an ended mailbox wait until the inbox has space. Each further stream would
            # overfill it.
            self._inbox.wait_for_room()
        return True

    def _watch(self) -> None:
        """Cancels a stream without any frame for too long, which then counts as broken."""
        interval = self._heartbeat_interval
        if interval <= 0 or self._closed.is_set() or self._inbox.ended:
            return
        with self._lock:
            call = self._call
        silent = time.monotonic() - self._last_frame
        if call is not None and not self._paused and silent > SILENT_INTERVALS * interval:
            self._silent = True
            call.cancel()
        self._watchdog = self._timers.after(interval, self._watch)

    def _end(self, error: Optional[SpreadError]) -> None:
        if self._inbox.end(error):
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._on_notice(Ended(error), "")
        self._settled.set()
