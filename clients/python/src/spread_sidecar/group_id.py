"""The identity of a view."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupId:
    """The identity of one view of one group.

    Two IDs are equal (``==``) if and only if all three words are equal. They have no order. An ID may occur again
    after its group was empty. IDs can be keys of a dictionary.
    """

    #: ID of the daemon that formed the daemon membership, 0 to 2**32 - 1.
    daemon_id: int
    #: Seconds since 1970 of the daemon membership.
    time: int
    #: 1 for the first view of a group in a daemon membership, one more for each later one.
    index: int

    def __str__(self) -> str:
        return f"{self.daemon_id} {self.time} {self.index}"
