"""The identity of a membership."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupId:
    """The identity of one membership of one group.

    Two are the same (``==``) exactly if all three words are; no order is defined, and an id may come again after
    its group was empty. May be a key of a dictionary.
    """

    #: Id of the daemon that formed the daemon membership, 0 to 2**32 - 1.
    daemon_id: int
    #: Seconds since 1970 of the daemon membership.
    time: int
    #: 1 for the first view of a group in a daemon membership, one more for each later one.
    index: int

    def __str__(self) -> str:
        return f"{self.daemon_id} {self.time} {self.index}"
