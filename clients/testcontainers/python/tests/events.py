"""Waiting for events."""

from __future__ import annotations

from typing import TypeVar

from spread_sidecar import Mailbox, SpreadEvent

EventT = TypeVar("EventT", bound=SpreadEvent)


def next_of(kind: type[EventT], mailbox: Mailbox) -> EventT:
    """Receives events until the first one of a kind."""
    while True:
        event = mailbox.receive(10)
        if isinstance(event, kind):
            return event
