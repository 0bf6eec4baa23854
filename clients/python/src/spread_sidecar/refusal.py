"""A rejected message of a sender."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import SpreadError


@dataclass(frozen=True)
class Refusal:
    """A rejected message of a sender. It was not sent."""

    #: The position of the message among the sender's messages, starting at 1.
    index: int
    #: The error that ``multicast`` would have raised.
    error: SpreadError
