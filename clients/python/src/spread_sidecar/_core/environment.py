"""The settings of a sidecar in environment variables. docs/client-environment.md has the rules for all clients.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, TypeVar, cast

from ..errors import SpreadError
from ..options import ChannelOptions, TlsOptions
from .local_errors import field_error, option_error
from .target import parse_target

_TARGET = "SPREAD_SIDECAR_TARGET"
_TLS = "SPREAD_SIDECAR_TLS"
_CA = "SPREAD_SIDECAR_TLS_CA"
_CERT = "SPREAD_SIDECAR_TLS_CERT"
_KEY = "SPREAD_SIDECAR_TLS_KEY"
_SERVER_NAME = "SPREAD_SIDECAR_TLS_SERVER_NAME"
_TOKEN_FILE = "SPREAD_SIDECAR_TOKEN_FILE"
_INSECURE = "SPREAD_SIDECAR_INSECURE"

_SWITCH = {"true": True, "1": True, "false": False, "0": False}

_Options = TypeVar("_Options", bound=ChannelOptions)


def complete_options(options: _Options, environment: Mapping[str, str]) -> _Options:
    """Fills in options from environment variables if the program sets no target.

    If the program sets a target, the variables have no effect: a token must not go to a sidecar for which it is
    not intended. Raises SpreadError, FIELD_INVALID, for an invalid variable or an unreadable file.
    """
    if options.get("target"):
        return options
    completed: dict[str, Any] = {name: value for name, value in options.items() if name != "target"}
    target = environment.get(_TARGET)
    if target:
        # Check it here, because the channel would report an invalid target as the program's own.
        parse_target(target, _TARGET)
        completed["target"] = target
    if completed.get("tls") is None:
        completed["tls"] = _tls(environment)
    if completed.get("token") is None:
        completed["token"] = _token(environment)
    if completed.get("insecure") is None:
        completed["insecure"] = _switch(environment, _INSECURE)
    return cast(_Options, {name: value for name, value in completed.items() if value is not None})


def _tls(environment: Mapping[str, str]) -> Optional[TlsOptions]:
    ca, cert, key, server_name = (environment.get(name) or None for name in (_CA, _CERT, _KEY, _SERVER_NAME))
    if not (_switch(environment, _TLS) or ca or cert or key or server_name):
        return None
    return TlsOptions(
        ca=_pem(_CA, ca),
        cert=_pem(_CERT, cert),
        # The private key may be in the file of the certificate.
        key=_pem(_KEY, key) if key else _pem(_CERT, cert),
        server_name=server_name,
    )


def _pem(variable: str, path: Optional[str]) -> Optional[bytes]:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _unreadable(variable, "PEM", path, error) from None


def _token(environment: Mapping[str, str]) -> Optional[Callable[[], str]]:
    path = environment.get(_TOKEN_FILE)
    # Reads the file before each call, so that the token can change while the program runs.
    return (lambda: _read_token(path)) if path else None


def _read_token(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise _unreadable(_TOKEN_FILE, "text", path, error) from None
    for line in text.splitlines():
        words = line.split()
        # The format of the sidecar's token files: lines may be comments, and a name may precede the token.
        if words and not words[0].startswith("#"):
            return words[-1]
    bound = "the path of a file that contains a token"
    raise option_error(_TOKEN_FILE, bound, f"{_TOKEN_FILE} must be {bound}; {path} contains no token")


def _unreadable(variable: str, kind: str, path: str, error: Exception) -> SpreadError:
    bound = f"the path of a readable {kind} file"
    reason = error.strerror if isinstance(error, OSError) else error
    return option_error(variable, bound, f"{variable} must be {bound}; cannot read {path}: {reason}")


def _switch(environment: Mapping[str, str], variable: str) -> Optional[bool]:
    value = environment.get(variable)
    if not value:
        return None
    switch = _SWITCH.get(value.lower())
    if switch is None:
        raise field_error(variable, "true, false, 1 or 0", value)
    return switch
