"""Acknowledges events in the background."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from .._core.calls import acknowledge
from .._core.rules.acknowledgement import AcknowledgementRules
from ..errors import SpreadError
from .rpc import Rpc


class Acknowledger:
    """At most one call is active. Requests during a call are combined into the next call."""

    def __init__(self, rpc: Rpc, mailbox_id: str, on_failure: Callable[[SpreadError], object]) -> None:
        self._rpc = rpc
        self._mailbox_id = mailbox_id
        self._on_failure = on_failure
        self._rules = AcknowledgementRules(rpc.may_pass)
        self._task: Optional[asyncio.Task[None]] = None

    def request(self, up_to: int) -> None:
        """Acknowledges every event up to and including this one."""
        now = self._rules.request(up_to)
        if now is not None:
            self._task = asyncio.create_task(self._send(now), name="spread-sidecar-acknowledge")

    def close(self) -> Optional[asyncio.Task[None]]:
        """Makes no further calls. Returns the ending task, if there is one."""
        self._rules.close()
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _send(self, first: int) -> None:
        now: Optional[int] = first
        while now is not None:
            try:
                await self._rpc.call(acknowledge(self._mailbox_id, now))
            except SpreadError as error:
                action = self._rules.failed(error)
                if action.error is not None:
                    self._on_failure(action.error)
                if action.pause is None:
                    return
                await asyncio.sleep(action.pause)
                now = self._rules.retry()
            else:
                now = self._rules.succeeded(now)
