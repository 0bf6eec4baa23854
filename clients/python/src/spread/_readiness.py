"""A descriptor that is readable exactly when a mailbox's ``receive`` would not block."""

from __future__ import annotations

import socket
import threading


class Readiness:
    """A pair of sockets that contains one byte exactly while an event is available.

    ``set`` is an observer for ``Mailbox.observe_readiness``. It is called with the inbox locked, so that the
    descriptor always agrees with the inbox.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._lock = threading.Lock()
        self._ready = False
        self._closed = False

    def fileno(self) -> int:
        return self._reader.fileno()

    def set(self, ready: bool) -> None:
        with self._lock:
            if self._closed or ready == self._ready:
                return
            self._ready = ready
            if ready:
                self._writer.send(b"\0")
            else:
                self._reader.recv(1)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            # Close the writer first, which wakes threads that wait for the reader.
            self._writer.close()
            self._reader.close()
