"""Environment variables of this module. ``DROP_IN.md`` lists them, and the variables that select the sidecar.
"""

from __future__ import annotations

from typing import Mapping

from ._errors import SpreadError
from ._text import TEXT_MODES


def daemon(environment: Mapping[str, str], named: str) -> str:
    """The daemon for a program that names ``named``. If the variable is set and empty, the sidecar's default
    daemon.
    """
    return environment.get("SPREAD_CLIENT_DAEMON", named)


def text_mode(environment: Mapping[str, str]) -> str:
    """One of TEXT_MODES."""
    mode = environment.get("SPREAD_CLIENT_TEXT") or "auto"
    if mode not in TEXT_MODES:
        *others, last = TEXT_MODES
        raise SpreadError(f"SPREAD_CLIENT_TEXT must be {', '.join(others)} or {last}; got {mode}")
    return mode
