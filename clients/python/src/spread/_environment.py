"""Environment variables of this module alone. ``DROP_IN.md`` has them, and those that say which sidecar."""

from __future__ import annotations

from typing import Mapping

from ._errors import SpreadError
from ._text import TEXT_MODES


def daemon(environment: Mapping[str, str], named: str) -> str:
    """The daemon to ask for, where the program names this one. Set and empty: the sidecar's own."""
    return environment.get("SPREAD_CLIENT_DAEMON", named)


def text_mode(environment: Mapping[str, str]) -> str:
    """One of TEXT_MODES."""
    mode = environment.get("SPREAD_CLIENT_TEXT") or "auto"
    if mode not in TEXT_MODES:
        raise SpreadError(f"SPREAD_CLIENT_TEXT must be {', '.join(TEXT_MODES)}; got {mode}")
    return mode
