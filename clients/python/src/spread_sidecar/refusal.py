"""A message of a sender that was refused."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import SpreadError


@dataclass(frozen=True)
class Refusal:
    """A message of a sender that was refused. Nothing of it was sent."""

    #: Its number among the sender's messages, from 1.
    index: int
    #: What ``multicast`` would have raised.
    error: SpreadError
