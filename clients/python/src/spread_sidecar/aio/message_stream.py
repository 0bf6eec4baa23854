"""Sends single messages over a sender, and reports each one that the sidecar rejects."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Callable, Mapping, Optional

from ..errors import SpreadError
from ..options import Payload
from ..refusal import Refusal
from .mailbox import Mailbox
from .sender import Sender

# Number of sent messages after which the entries of decided messages are removed.
_MAX_UNDECIDED = 1000

OnFailure = Callable[[SpreadError], None]


class MessageStream:
    """Replaces its sender after a broken stream. A round trip is shorter than with ``multicast``."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = asyncio.Lock()
        self._sender: Optional[Sender] = None
        # What to do when the sidecar rejects a message, by its position.
        self._on_failure: dict[int, OnFailure] = {}

    async def send(
        self,
        service_type: int,
        target: str,
        payload: Payload,
        message_type: int,
        headers: Mapping[str, str],
        on_failure: OnFailure,
        timeout: Optional[float] = None,
    ) -> None:
        """Sends a message. The client calls ``on_failure`` if the sidecar rejects the message."""
        async with self._lock:
            sender = await self._open()
            progress = sender.progress
            entries = self._on_failure
            if len(entries) >= _MAX_UNDECIDED:
                for index in [index for index in entries if index <= progress.decided]:
                    del entries[index]
            # Before the sidecar can reject the message.
            entries[progress.sent + 1] = on_failure
            try:
                await sender.send(service_type, target, payload, message_type, headers=headers, timeout=timeout)
            except BaseException:
                entries.pop(progress.sent + 1, None)
                raise

    async def flush(self, timeout: Optional[float]) -> None:
        """Waits until the sidecar has accepted or rejected all messages, so that a later call cannot overtake them."""
        sender = self._sender
        if sender is not None:
            # A broken stream has no further messages.
            with contextlib.suppress(SpreadError):
                await sender.flush(timeout=timeout)

    async def _open(self) -> Sender:
        if self._sender is None or self._sender.closed:
            entries: dict[int, OnFailure] = {}

            def on_refused(refusal: Refusal) -> None:
                on_failure = entries.pop(refusal.index, None)
                if on_failure is not None:
                    on_failure(refusal.error)

            self._sender = await self._mailbox.sender(on_refused=on_refused)
            self._on_failure = entries
        return self._sender
