"""Names in the C library, which truncates long names and parses daemon names with sscanf."""

from __future__ import annotations

import re

from spread_sidecar.constants import ILLEGAL_SPREAD, MAX_GROUP_NAME, MAX_PRIVATE_NAME

from ._errors import SpreadError

#: A destination to which a daemon delivers: a group or a private group.
_DESTINATION = re.compile(r"[$-~]{1,31}|#[$-~]{1,10}#[$-~]{1,19}")

#: A port, optionally followed by `@` and a host. Spaces are allowed before both. Anything may follow a space
#: after the host.
_DAEMON = re.compile(r"\s*\+?(?P<port>[0-9]+)(?:\s*@(?P<host>\S+)(?:\s.*)?|\s*)", re.ASCII | re.DOTALL)

#: Maximum length of a daemon name in the C library.
_DAEMON_BYTES = 70


def cut_private_name(name: str) -> str:
    """The part of a private name that the C library sends."""
    return name[:MAX_PRIVATE_NAME]


def cut_destination(group: str) -> str:
    """The part of a destination that the C library sends."""
    return group[: MAX_GROUP_NAME - 1]


def has_receivers(destination: str) -> bool:
    """Whether a daemon delivers to the destination. The C library does not check this, and the daemon discards
    the message.
    """
    return _DESTINATION.fullmatch(destination) is not None


def read_daemon(name: str) -> str:
    """A daemon name without the parts that the C library ignores.

    Raises SpreadError, ILLEGAL_SPREAD, for a name that the C library itself rejects. An empty name is the
    default daemon. The path of a Unix socket, which the C library does not know, is allowed.
    """
    if name == "" or name.startswith("/"):
        return name
    match = _DAEMON.fullmatch(name)
    if match is None or len(name) > _DAEMON_BYTES:
        form = f"PORT or PORT@HOST with at most {_DAEMON_BYTES} bytes"
        raise SpreadError(ILLEGAL_SPREAD, f"spread_name must be {form}; got {name!r}")
    port, host = match["port"].lstrip("0") or "0", match["host"]
    return port if host is None else f"{port}@{host}"
