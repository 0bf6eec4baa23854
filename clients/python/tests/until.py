from __future__ import annotations

import asyncio
import time
from typing import Callable


def until(condition: Callable[[], object], what: str, timeout: float = 10.0) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.005)


async def until_async(condition: Callable[[], object], what: str, timeout: float = 10.0) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        await asyncio.sleep(0.005)
