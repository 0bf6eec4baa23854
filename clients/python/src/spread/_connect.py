"""``connect`` and ``version``."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from typing import overload

import spread_sidecar

from . import _environment, _errors, _disconnects
from ._arguments import bind, to_int
from ._gevent import check_gevent
from ._mailbox import MailboxType
from ._names import cut_private_name, read_daemon
from ._text import Text, TextRule

#: The parameters in their order, with all names of the wrapper's releases.
_PARAMETERS = (("spread_name", "daemon"), ("private_name", "name"), ("priority",), ("membership",))

#: Maximum time that an ending process waits for the disconnects of its mailboxes, each and together. Unit:
#: seconds.
_DISCONNECT_TIME = 5.0

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

    Connects to a Spread daemon through the sidecar. All arguments are optional. They may be positional or keywords.
    ``daemon`` is another name of ``spread_name``, and ``name`` is another name of ``private_name``.

    ``spread_name``: ``4803``, ``4803@host`` or the path of a Unix socket; the sidecar must allow it. Default:
    the sidecar's default daemon. ``private_name``: at most 10 characters; default: Spread generates one.
    ``priority``: 0 or 1, without effect. ``membership``: whether to receive membership messages.

    The environment variable SPREAD_SIDECAR_TARGET selects the sidecar. Default: ``127.0.0.1:4813``. ``DROP_IN.md``
    has all variables.
    """
    given = bind("connect", _PARAMETERS, args, keywords)
    check_gevent()
    rule = TextRule(_environment.text_mode(os.environ))
    # The private name comes last: the last name that the program gives decides the type of the returned names.
    daemon, name = (
        rule.name_in(given[what], what) if what in given else "" for what in ("spread_name", "private_name")
    )
    priority = to_int(given.get("priority", 0), "priority")
    membership = to_int(given.get("membership", 1), "membership")
    try:
        mailbox = spread_sidecar.connect(
            spread_name=_environment.daemon(os.environ, read_daemon(daemon)),
            private_name=cut_private_name(name),
            # The C library sends one bit.
            priority=int(priority >= 1),
            membership=membership != 0,
            # As with the C library's socket, messages arrive before the program asks for them, so that poll()
            # reports them.
            auto_receive=True,
            # As with the C library's socket, the end of the process ends the connection.
            end_with_connection=True,
        )
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from None
    opened = MailboxType(mailbox, rule)
    _open.add(opened)
    return opened


def version() -> tuple[int, int, int]:
    """The version that SP_version returns, as (major, minor, patch): the release of Spread whose client
    protocol the sidecar uses.
    """
    check_gevent()
    try:
        return spread_sidecar.version()
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from None


@atexit.register
def _disconnect_all() -> None:
    # Disconnect at the end of the process. Otherwise the sidecar would keep the mailboxes for their lease.
    for mailbox in list(_open):
        if mailbox._is_of_this_process():
            with contextlib.suppress(Exception):
                mailbox._disconnect(_DISCONNECT_TIME)
    _disconnects.wait_for_all(_DISCONNECT_TIME)
