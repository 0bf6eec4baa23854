"""Renews the lease of a mailbox whose application neither receives nor calls."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable

from .._core.rules.lease import LeaseRules


class KeepAlive:
    """Calls ``ping`` while the mailbox is not used."""

    def __init__(self, lease: float, held: Callable[[], bool], ping: Callable[[], Awaitable[None]]) -> None:
        self._rules = LeaseRules(lease)
        self._held = held
        self._ping = ping
        self._task = asyncio.create_task(self._run(), name="spread-sidecar-keep-alive")

    def used(self) -> None:
        """Records that a call used the mailbox."""
        self._rules.used()

    def close(self) -> asyncio.Task[None]:
        """Stops the calls. Returns the ending task."""
        if self._task is not asyncio.current_task():
            self._task.cancel()
        return self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._rules.interval)
            if self._rules.is_due(self._held()):
                await self._ping()
