"""Goodbyes for mailboxes that nobody has any more."""

from __future__ import annotations

import _thread
import contextlib
import time
from typing import Callable

#: A lock for each that is being said, held until it is.
_pending: set[_thread.LockType] = set()


def say_in_background(goodbye: Callable[[], object]) -> None:
    """For ``__del__``, which may run in any thread at any allocation, whatever locks it holds: this takes none."""
    said = _thread.allocate_lock()
    said.acquire()
    _pending.add(said)

    def say() -> None:
        try:
            with contextlib.suppress(Exception):
                goodbye()
        finally:
            _pending.discard(said)
            said.release()

    try:
        _thread.start_new_thread(say, ())
    except RuntimeError:
        # The interpreter ends, and starts no thread any more.
        _pending.discard(said)


def wait_for_all(timeout: float) -> None:
    """Until all are said, but not longer than this. Unit: seconds."""
    deadline = time.monotonic() + timeout
    for said in list(_pending):
        said.acquire(timeout=max(0.0, deadline - time.monotonic()))
