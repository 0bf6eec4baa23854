"""Keeps a mailbox open while its application neither receives nor calls."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable

from .._core.lease_clock import LeaseClock


class KeepAlive:
    """Calls ``ping`` when nothing else uses the mailbox."""

    def __init__(self, lease: float, held: Callable[[], bool], ping: Callable[[], Awaitable[None]]) -> None:
        self._clock = LeaseClock(lease)
        self._held = held
        self._ping = ping
        self._task = asyncio.create_task(self._run(), name="spread-sidecar-keep-alive")

    def used(self) -> None:
        """The mailbox was just used by a call."""
        self._clock.used()

    def close(self) -> asyncio.Task[None]:
        """Stops. Returns the task that is ending."""
        if self._task is not asyncio.current_task():
            self._task.cancel()
        return self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._clock.interval)
            if self._clock.is_due(self._held()):
                await self._ping()
