"""The identity of a view."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupId:
    """The identity of a view.

    Compare group IDs with ``==``. Group IDs have no order. A group ID can repeat after its group was empty. A group
    ID can be the key of a dictionary.
    """

    #: ID of the daemon that formed the daemon membership, 0 to 2**32 - 1.
    daemon_id: int
    #: Time of the daemon membership, in seconds since 1970.
    time: int
    #: 1 for the first view of a group in a daemon membership, then incremented by 1.
    index: int

    def __str__(self) -> str:
        return f"{self.daemon_id} {self.time} {self.index}"
