"""What the environment says: which sidecar, and how to talk to it. ``DROP_IN.md`` has the table."""

from __future__ import annotations

from typing import Mapping, Optional

from spread_sidecar import SidecarOptions, TlsOptions
from spread_sidecar.options import DEFAULT_TARGET

from ._errors import SpreadError
from ._text import TEXT_MODES


def channel_options(environment: Mapping[str, str]) -> SidecarOptions:
    """How to reach the sidecar. A variable that is empty counts as not set."""
    options: SidecarOptions = {"target": environment.get("SPREAD_SIDECAR") or DEFAULT_TARGET}
    ca, cert, key = (_file(environment, f"SPREAD_CLIENT_{part}") for part in ("CA", "CERT", "KEY"))
    if ca or cert or key or _is_on(environment, "SPREAD_CLIENT_TLS"):
        options["tls"] = TlsOptions(ca=ca, cert=cert, key=key)
    if _is_on(environment, "SPREAD_CLIENT_INSECURE"):
        options["insecure"] = True
    token_file = environment.get("SPREAD_CLIENT_TOKEN_FILE")
    if token_file:
        # Asked for before each call, so that a token may be replaced.
        options["token"] = lambda: _read(token_file).strip()
    return options


def daemon(environment: Mapping[str, str], named: str) -> str:
    """The daemon to ask for, where the program names this one. Set and empty: the sidecar's own."""
    return environment.get("SPREAD_CLIENT_DAEMON", named)


def text_mode(environment: Mapping[str, str]) -> str:
    """One of TEXT_MODES."""
    mode = environment.get("SPREAD_CLIENT_TEXT") or "auto"
    if mode not in TEXT_MODES:
        raise SpreadError(f"SPREAD_CLIENT_TEXT must be {', '.join(TEXT_MODES)}; got {mode}")
    return mode


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").lower()
    if value in ("", "0", "false", "no", "off"):
        return False
    if value in ("1", "true", "yes", "on"):
        return True
    raise SpreadError(f"{name} must be 1 or 0; got {value}")


def _file(environment: Mapping[str, str], name: str) -> Optional[str]:
    path = environment.get(name)
    if not path:
        return None
    try:
        return _read(path)
    except (OSError, ValueError) as error:
        raise SpreadError(f"{name} can not be read: {error}") from error


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
