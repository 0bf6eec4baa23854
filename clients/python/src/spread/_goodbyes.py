"""Disconnects of mailboxes without references."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Callable

_pending: set[threading.Thread] = set()


def say_in_background(goodbye: Callable[[], object]) -> None:
    """Disconnects from ``__del__``, which may run in any thread with any lock held. It therefore takes no lock."""

    def say() -> None:
        try:
            with contextlib.suppress(Exception):
                goodbye()
        finally:
            _pending.discard(thread)

    thread = threading.Thread(target=say, name="spread-goodbye", daemon=True)
    _pending.add(thread)
    try:
        thread.start()
    except RuntimeError:
        # The interpreter ends, and starts no thread any more.
        _pending.discard(thread)


def wait_for_all(timeout: float) -> None:
    """Waits for all disconnects, at most for this time. Unit: seconds."""
    deadline = time.monotonic() + timeout
    for thread in list(_pending):
        thread.join(max(0.0, deadline - time.monotonic()))
