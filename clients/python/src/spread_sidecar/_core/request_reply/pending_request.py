"""An open request: which members must answer, and what they answered."""

from __future__ import annotations

from typing import AbstractSet, Iterable, Optional

from ...request_reply import Replies, Reply, WantedReplies


class PendingRequest:
    """An open request. docs/request-reply.md has the rules Q3 to Q7. Without I/O; not thread-safe."""

    def __init__(self, target: str, wanted: WantedReplies) -> None:
        """``target`` is a group or a private group."""
        self.target = target
        self._is_private = target.startswith("#")
        self._wanted: WantedReplies = 1 if self._is_private else wanted
        self._replies: list[Reply] = []
        self._left: list[str] = []
        self._overloaded: list[str] = []
        # Everyone whose answer arrived, also before the members were known.
        self._answered: set[str] = set()
        # The members that must still answer, in the order of the view. None while they are not known.
        self._waiting: Optional[dict[str, None]] = {target: None} if self._is_private else None
        self._timed_out = False

    def delivered(self, members: Iterable[str]) -> None:
        """The requester received its own request: these members of the view got it too (Q3)."""
        if self._waiting is None:
            self._waiting = {member: None for member in members if member not in self._answered}

    def view(self, members: AbstractSet[str]) -> None:
        """A later view of the group (Q4)."""
        if self._is_private or self._waiting is None:
            return
        for member in [member for member in self._waiting if member not in members]:
            self._leave(member)

    def disconnected(self, member: str) -> None:
        """A member disconnected, or a partition separated it (Q5)."""
        if self._is_private and self._waiting is not None and member in self._waiting:
            self._leave(member)

    def answer(self, status: str, reply: Reply) -> bool:
        """An answer of a member. ``status`` is ``ok`` or a value of the header ``reply-status``.

        Returns False for a second answer (Q7).
        """
        sender = reply.sender
        if sender in self._answered:
            return False
        self._answered.add(sender)
        if self._waiting is not None:
            self._waiting.pop(sender, None)
        if status == "overloaded":
            self._overloaded.append(sender)
        elif status != "not-serving":
            self._replies.append(reply)
        return True

    def time_out(self) -> None:
        """The timeout passed (Q6)."""
        self._timed_out = True

    @property
    def result(self) -> Optional[Replies]:
        """The result. None while the request is open."""
        has_enough = self._wanted != "all" and len(self._replies) >= self._wanted
        has_all = self._waiting is not None and not self._waiting
        if not (has_enough or has_all or self._timed_out or self._is_hopeless):
            return None
        is_complete = has_enough
        if self._wanted == "all":
            is_complete = has_all and not self._left and not self._overloaded
        return Replies(
            replies=tuple(self._replies),
            left=tuple(self._left),
            overloaded=tuple(self._overloaded),
            missing=() if has_enough else tuple(self._waiting or ()),
            timed_out=self._timed_out,
            complete=is_complete,
        )

    @property
    def _is_hopeless(self) -> bool:
        """Whether fewer replies than requested are still possible (Q5)."""
        if self._wanted == "all" or self._waiting is None:
            return False
        return len(self._replies) + len(self._waiting) < self._wanted

    def _leave(self, member: str) -> None:
        assert self._waiting is not None
        del self._waiting[member]
        self._left.append(member)
