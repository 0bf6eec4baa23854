"""Disconnects mailboxes that the program no longer references."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Callable

_pending: set[threading.Thread] = set()


def disconnect_in_background(disconnect: Callable[[], object]) -> None:
    """For ``__del__``, which may run in any thread at any allocation, with any lock held: this function takes
    no lock.
    """

    def run() -> None:
        try:
            with contextlib.suppress(Exception):
                disconnect()
        finally:
            _pending.discard(thread)

    thread = threading.Thread(target=run, name="spread-disconnect", daemon=True)
    _pending.add(thread)
    try:
        thread.start()
    except RuntimeError:
        # The interpreter is ending and starts no more threads.
        _pending.discard(thread)


def wait_for_all(timeout: float) -> None:
    """Waits until all disconnects have ended, at most for the timeout. Unit: seconds."""
    deadline = time.monotonic() + timeout
    for thread in list(_pending):
        thread.join(max(0.0, deadline - time.monotonic()))
