"""The macros of Spread's C header for a service type word, for programs that use ``spread_type``.

Each function has the name of its macro.
"""

from __future__ import annotations

from . import constants as c

__all__ = [
    "is_agreed_mess",
    "is_causal_mess",
    "is_caused_disconnect_mess",
    "is_caused_join_mess",
    "is_caused_leave_mess",
    "is_caused_network_mess",
    "is_fifo_mess",
    "is_membership_mess",
    "is_reg_memb_mess",
    "is_regular_mess",
    "is_reject_mess",
    "is_reliable_mess",
    "is_safe_mess",
    "is_self_discard",
    "is_self_leave",
    "is_transition_mess",
    "is_unreliable_mess",
]


def is_unreliable_mess(spread_type: int) -> bool:
    """Is_unreliable_mess."""
    return spread_type & c.UNRELIABLE_MESS != 0


def is_reliable_mess(spread_type: int) -> bool:
    """Is_reliable_mess."""
    return spread_type & c.RELIABLE_MESS != 0


def is_fifo_mess(spread_type: int) -> bool:
    """Is_fifo_mess."""
    return spread_type & c.FIFO_MESS != 0


def is_causal_mess(spread_type: int) -> bool:
    """Is_causal_mess."""
    return spread_type & c.CAUSAL_MESS != 0


def is_agreed_mess(spread_type: int) -> bool:
    """Is_agreed_mess."""
    return spread_type & c.AGREED_MESS != 0


def is_safe_mess(spread_type: int) -> bool:
    """Is_safe_mess."""
    return spread_type & c.SAFE_MESS != 0


def is_regular_mess(spread_type: int) -> bool:
    """Is_regular_mess: a message of any service type that was not rejected."""
    return spread_type & c.REGULAR_MESS != 0 and spread_type & c.REJECT_MESS == 0


def is_self_discard(spread_type: int) -> bool:
    """Is_self_discard."""
    return spread_type & c.SELF_DISCARD != 0


def is_reg_memb_mess(spread_type: int) -> bool:
    """Is_reg_memb_mess: a view."""
    return spread_type & c.REG_MEMB_MESS != 0


def is_transition_mess(spread_type: int) -> bool:
    """Is_transition_mess."""
    return spread_type & c.TRANSITION_MESS != 0


def is_caused_join_mess(spread_type: int) -> bool:
    """Is_caused_join_mess."""
    return spread_type & c.CAUSED_BY_JOIN != 0


def is_caused_leave_mess(spread_type: int) -> bool:
    """Is_caused_leave_mess."""
    return spread_type & c.CAUSED_BY_LEAVE != 0


def is_caused_disconnect_mess(spread_type: int) -> bool:
    """Is_caused_disconnect_mess."""
    return spread_type & c.CAUSED_BY_DISCONNECT != 0


def is_caused_network_mess(spread_type: int) -> bool:
    """Is_caused_network_mess."""
    return spread_type & c.CAUSED_BY_NETWORK != 0


def is_membership_mess(spread_type: int) -> bool:
    """Is_membership_mess: a view, a transitional signal or a self-leave that was not rejected."""
    return spread_type & c.MEMBERSHIP_MESS != 0 and spread_type & c.REJECT_MESS == 0


def is_reject_mess(spread_type: int) -> bool:
    """Is_reject_mess."""
    return spread_type & c.REJECT_MESS != 0


def is_self_leave(spread_type: int) -> bool:
    """Is_self_leave: this mailbox left a group."""
    return spread_type & c.CAUSED_BY_LEAVE != 0 and spread_type & (c.REG_MEMB_MESS | c.TRANSITION_MESS) == 0
