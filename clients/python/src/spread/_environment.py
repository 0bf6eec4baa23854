"""Environment variables of this module only. ``DROP_IN.md`` describes all variables."""

from __future__ import annotations

from typing import Mapping

from ._errors import SpreadError
from ._text import TEXT_MODES


def daemon(environment: Mapping[str, str], named: str) -> str:
    """The daemon to use instead of the one that the program names. Set and empty: the sidecar's own."""
    return environment.get("SPREAD_CLIENT_DAEMON", named)


def text_mode(environment: Mapping[str, str]) -> str:
    """One of TEXT_MODES."""
    mode = environment.get("SPREAD_CLIENT_TEXT") or "auto"
    if mode not in TEXT_MODES:
        raise SpreadError(f"SPREAD_CLIENT_TEXT must be {', '.join(TEXT_MODES)}; got {mode}")
    return mode
