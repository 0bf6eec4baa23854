"""``connect`` and ``version``."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from typing import overload

import spread_sidecar

from . import _environment, _errors, _goodbyes
from ._arguments import bind, to_int
from ._gevent import check_gevent
from ._mailbox import MailboxType
from ._names import cut_private_name, read_daemon
from ._text import Text, TextRule

#: The parameters in their order; those that have had two names in the wrapper's releases with both.
_PARAMETERS = (("spread_name", "daemon"), ("private_name", "name"), ("priority",), ("membership",))

#: How long a process that ends waits for the goodbyes of its mailboxes, each and together. Unit: seconds.
_GOODBYE_TIME = 5.0

_open: weakref.WeakSet[MailboxType] = weakref.WeakSet()


@overload
def connect(
    spread_name: Text = ..., private_name: Text = ..., priority: int = ..., membership: int = ...
) -> MailboxType: ...
@overload
def connect(*, daemon: Text, name: Text = ..., priority: int = ..., membership: int = ...) -> MailboxType: ...
@overload
def connect(spread_name: Text = ..., *, name: Text, priority: int = ..., membership: int = ...) -> MailboxType: ...
def connect(*args: object, **keywords: object) -> MailboxType:
    """connect(spread_name, private_name, priority=0, membership=1) -> mailbox

    Connects to a Spread daemon through the sidecar. All parameters are optional, by position or by keyword.
    ``daemon`` is another name of ``spread_name``, and ``name`` of ``private_name``.

    ``spread_name``: ``4803``, ``4803@host`` or the path of a Unix socket; the sidecar must allow it. Default: the
    sidecar's own daemon. ``private_name``: at most 10 characters; default: Spread generates one. ``priority``: 0 or
    1, without effect. ``membership``: whether membership messages are received.

    The environment names the sidecar, see ``DROP_IN.md``: SPREAD_SIDECAR_TARGET, by default ``127.0.0.1:4813``.
    """
    given = bind("connect", _PARAMETERS, args, keywords)
    check_gevent()
    rule = TextRule(_environment.text_mode(os.environ))
    # The private name comes last: like every name after it, it decides what names come out as.
    daemon, name = (
        rule.name_in(given[what], what) if what in given else "" for what in ("spread_name", "private_name")
    )
    priority = to_int(given.get("priority", 0), "priority")
    membership = to_int(given.get("membership", 1), "membership")
    try:
        mailbox = spread_sidecar.connect(
            spread_name=_environment.daemon(os.environ, read_daemon(daemon)),
            private_name=cut_private_name(name),
            # The C library sends one bit of it.
            priority=int(priority >= 1),
            membership=membership != 0,
            # As with the C library's socket, what comes is here before the program asks for it: poll() sees it.
            auto_receive=True,
            # As with the C library's socket, what ends the process ends the connection.
            end_with_connection=True,
        )
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from None
    opened = MailboxType(mailbox, rule)
    _open.add(opened)
    return opened


def version() -> tuple[int, int, int]:
    """The Spread release whose protocol the sidecar supports, as SP_version returns it: major, minor, patch."""
    check_gevent()
    try:
        return spread_sidecar.version()
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from None


@atexit.register
def _disconnect_all() -> None:
    # A process that ends takes its connections with it; the sidecar would keep the mailboxes for their lease.
    for mailbox in list(_open):
        if mailbox._is_of_this_process():
            with contextlib.suppress(Exception):
                mailbox._disconnect(_GOODBYE_TIME)
    _goodbyes.wait_for_all(_GOODBYE_TIME)
