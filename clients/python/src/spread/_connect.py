"""``connect`` and ``version``, and the sidecar that they mean."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from typing import Mapping, Optional

import spread_sidecar
from spread_sidecar import SidecarOptions, TlsOptions
from spread_sidecar.options import DEFAULT_TARGET

from . import _errors
from ._mailbox import MailboxType
from ._text import TextRule

#: The parameters in their order; those that have had two names in the wrapper's releases with both.
_PARAMETERS = (("spread_name", "daemon"), ("private_name", "name"), ("priority",), ("membership",))

_open: weakref.WeakSet[MailboxType] = weakref.WeakSet()


def connect(*args: object, **keywords: object) -> MailboxType:
    """connect(spread_name, private_name, priority=0, membership=1) -> mailbox

    Connects to a Spread daemon through the sidecar. Everything is optional and may be given by position or by keyword;
    ``spread_name`` may be called ``daemon``, ``private_name`` may be called ``name``.

    ``spread_name``: ``4803``, ``4803@host`` or the path of a Unix socket; the sidecar must allow it. Default: the
    sidecar's own daemon. ``private_name``: at most 10 characters; default: Spread makes one. ``priority``: 0 or 1, without
    effect. ``membership``: whether membership messages are received.

    The environment says which sidecar, see ``DROP_IN.md``: SPREAD_SIDECAR, by default ``127.0.0.1:4813``.
    """
    given = _bind(args, keywords)
    rule = TextRule(_fixed_text(os.environ))
    # The private name comes last: like every name after it, it decides what names come out as.
    daemon, name = (_name(given, what, rule) for what in ("spread_name", "private_name"))
    priority = _integer(given.get("priority", 0), "priority")
    membership = bool(_integer(given.get("membership", 1), "membership"))
    daemon = os.environ.get("SPREAD_CLIENT_DAEMON", daemon)
    try:
        mailbox = spread_sidecar.connect(
            spread_name=daemon,
            private_name=name,
            priority=priority,
            membership=membership,
            **_channel(os.environ),
        )
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from error
    opened = MailboxType(mailbox, rule)
    _open.add(opened)
    return opened


def version() -> tuple[int, int, int]:
    """The release of Spread whose protocol the sidecar speaks, as SP_version gives it: major, minor, patch."""
    try:
        return spread_sidecar.version(**_channel(os.environ))
    except spread_sidecar.SpreadError as error:
        raise _errors.of_connect(error) from error


def _bind(args: tuple[object, ...], keywords: Mapping[str, object]) -> dict[str, object]:
    if len(args) > len(_PARAMETERS):
        raise TypeError(f"connect() takes at most {len(_PARAMETERS)} arguments ({len(args)} given)")
    given = {names[0]: value for names, value in zip(_PARAMETERS, args)}
    for keyword, value in keywords.items():
        names = next((names for names in _PARAMETERS if keyword in names), None)
        if names is None:
            raise TypeError(f"connect() got an unexpected keyword argument '{keyword}'")
        if names[0] in given:
            raise TypeError(f"connect() got multiple values for argument '{names[0]}'")
        given[names[0]] = value
    return given


def _name(given: Mapping[str, object], what: str, rule: TextRule) -> str:
    if what not in given:
        return ""
    value = given[what]
    if isinstance(value, (str, bytes)):
        return rule.name_in(value, what)
    raise TypeError(f"{what} must be a string, not {type(value).__name__}")


def _integer(value: object, what: str) -> int:
    if isinstance(value, int):
        return value
    raise TypeError(f"{what} must be an integer, not {type(value).__name__}")


def _fixed_text(environment: Mapping[str, str]) -> Optional[bool]:
    mode = environment.get("SPREAD_CLIENT_TEXT", "auto")
    if mode not in ("auto", "text", "bytes"):
        raise _errors.SpreadError(f"SPREAD_CLIENT_TEXT must be auto, text or bytes; got {mode}")
    return None if mode == "auto" else mode == "text"


def _channel(environment: Mapping[str, str]) -> SidecarOptions:
    options: SidecarOptions = {"target": environment.get("SPREAD_SIDECAR") or DEFAULT_TARGET}
    ca, cert, key = (_file(environment, f"SPREAD_CLIENT_{part}") for part in ("CA", "CERT", "KEY"))
    if ca or cert or key:
        options["tls"] = TlsOptions(ca=ca, cert=cert, key=key)
    token_file = environment.get("SPREAD_CLIENT_TOKEN_FILE")
    if token_file:
        # Asked for before each call, so that a token may be replaced.
        options["token"] = lambda: _read(token_file).strip()
    return options


def _file(environment: Mapping[str, str], name: str) -> Optional[str]:
    path = environment.get(name)
    if not path:
        return None
    try:
        return _read(path)
    except OSError as error:
        raise _errors.SpreadError(f"{name} can not be read: {error}") from error


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


@atexit.register
def _disconnect_all() -> None:
    # A process that ends takes its connection with it; the sidecar would keep the mailbox for its lease.
    for mailbox in list(_open):
        with contextlib.suppress(Exception):
            mailbox.disconnect()
