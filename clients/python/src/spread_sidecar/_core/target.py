"""The address of a sidecar."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Optional

from ..errors import SIDECAR_DOMAIN, SpreadError

#: The target forms of all clients. clients/README.md describes them.
_FORMS = "host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path"
#: Maximum length of the path in a Unix socket address. Unit: bytes.
_MAX_PATH = 107
_MAX_HOST = 253
_MAX_PORT = 65_535
_DEFAULT_PORT = 4813

_KNOWN_SCHEME = re.compile(r"(unix|dns|ipv4|ipv6):(.*)", re.DOTALL)
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(.*))?", re.DOTALL)
_BARE_IPV6 = re.compile(r"[0-9a-fA-F:.]+")
_HOST = re.compile(r"[A-Za-z0-9_.-]+")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class Target:
    """A path of a Unix socket, or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def is_unix(self) -> bool:
        """Whether it is a Unix socket."""
        return self.path != ""

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the target is on this machine, so that no other machine can read the traffic. A host name
        other than localhost counts as another machine.
        """
        if self.is_unix or self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def grpc(self) -> str:
        """The target in the syntax of gRPC."""
        if self.is_unix:
            return f"unix:{self.path}"
        if ":" in self.host:
            return f"ipv6:%5B{self.host}%5D:{self.port}"
        return f"dns:///{self.host}:{self.port}"

    def in_messages(self, text: str) -> str:
        """The target for error messages: always with the port."""
        if self.is_unix:
            return text
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _InvalidTarget(Exception):
    """The reason why a target is invalid, and a hint."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def parse_target(text: str, field: str = "target") -> Target:
    """Parses a target. ``field``: the option or environment variable with the target. Raises FIELD_INVALID."""
    if not isinstance(text, str):
        raise TypeError(f"{field} must be a str, not {type(text).__name__}")
    try:
        return _read(text)
    except _InvalidTarget as error:
        why, hint = error.why, error.hint
    raise SpreadError(
        f'{field} "{text}" {why}; expected {_FORMS}{hint}',
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        domain=SIDECAR_DOMAIN,
        metadata={"field": field, "bound": _FORMS},
        outcome="not-sent",
    )


def _read(text: str) -> Target:
    known = _KNOWN_SCHEME.fullmatch(text)
    if known is None:
        scheme, separator, _ = text.partition("://")
        if separator:
            hint = "; set the option tls to use TLS" if scheme.lower() in ("http", "https") else ""
            raise _InvalidTarget(f'has the unsupported scheme "{scheme}"', hint)
        return _read_address(text)
    scheme, rest = known.groups()
    if scheme == "unix":
        return _read_path(rest)
    if scheme == "dns" and rest.startswith("//"):
        if not rest.startswith("///"):
            raise _InvalidTarget("names a DNS server, which is not supported")
        rest = rest[3:]
    target = _read_address(rest)
    if scheme == "ipv4" and not _is_address(target.host, 4):
        raise _InvalidTarget(f'has an invalid IPv4 address "{target.host}"')
    if scheme == "ipv6" and not _is_address(target.host, 6):
        raise _InvalidTarget(f'has an invalid IPv6 address "{target.host}"')
    return target


def _read_path(rest: str) -> Target:
    path = rest[2:] if rest.startswith("//") else rest
    if path == "":
        raise _InvalidTarget("has no path")
    if path != rest and not path.startswith("/"):
        raise _InvalidTarget("has a host before the path")
    size = len(path.encode("utf-8", "surrogateescape"))
    if size > _MAX_PATH:
        raise _InvalidTarget(f"has a path of {size} bytes (must be at most {_MAX_PATH})")
    return Target(path=path)


def _read_address(text: str) -> Target:
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        host, port = bracketed.groups()
        if not _is_address(host, 6):
            raise _InvalidTarget(f'has an invalid IPv6 address "{host}"')
        return Target(host=host, port=_to_port(port))
    host, separator, port = text.partition(":")
    if ":" in port:
        if _BARE_IPV6.fullmatch(text):
            raise _InvalidTarget("has an IPv6 address without brackets")
        raise _InvalidTarget(f'has an invalid host "{text}"')
    if host == "":
        raise _InvalidTarget("has no host")
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST:
        raise _InvalidTarget(f'has an invalid host "{host}"')
    return Target(host=host, port=_to_port(port if separator else None))


def _is_address(host: str, version: int) -> bool:
    try:
        return "%" not in host and ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _to_port(text: Optional[str]) -> int:
    if text is None:
        return _DEFAULT_PORT
    port = int(text) if _PORT.fullmatch(text) else 0
    if not 1 <= port <= _MAX_PORT:
        raise _InvalidTarget(f'has an invalid port "{text}" (must be from 1 to {_MAX_PORT})')
    return port
