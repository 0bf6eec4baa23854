"""Errors of calls without a connection to a sidecar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ..errors import SIDECAR_DOMAIN, SpreadError
from .target import Target

#: The reason of calls that failed because no connection to the sidecar was possible. Nothing was sent.
SIDECAR_UNREACHABLE = "SIDECAR_UNREACHABLE"
#: The reason of calls to a server that does not implement them.
NOT_A_SIDECAR = "NOT_A_SIDECAR"

_PORTS = "check that the port is the gRPC port (4813 by default), not the admin port (4814 by default)"
_CHECK = "check that a sidecar listens there"

# Only the texts of gRPC show that a call had no connection. The conformance suite has a case for each text.
_NO_CONNECTION = re.compile(r"failed to connect to all addresses|DNS resolution failed|errors resolving|empty address list")
_NO_ADDRESS = re.compile(r"DNS resolution failed|errors resolving|empty address list")
_LAST_ERROR = re.compile(r".*last error: (?:[A-Z_]+: )?(?:(?:ipv4|ipv6|unix|unix-abstract):\S+: )?(.*)", re.DOTALL)
_BAD_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED: (?P<detail>[^:;]+)|(?P<name>Peer name .* is not in peer certificate)")


@dataclass(frozen=True)
class Endpoint:
    """The properties of a channel that its errors depend on."""

    #: The target in error messages.
    name: str
    target: Target
    has_tls: bool

    def connection_failure(self, status: str, details: str) -> Optional[SpreadError]:
        """Converts the error of a failed connection. None for all other failures."""
        if status != "UNAVAILABLE" or not _NO_CONNECTION.search(details):
            return None
        cause, why = self._why(details)
        return SpreadError(
            f"the sidecar at {self.name} cannot be reached: {why}",
            status="UNAVAILABLE",
            reason=SIDECAR_UNREACHABLE,
            domain=SIDECAR_DOMAIN,
            metadata={"target": self.name, "cause": cause},
            retryable=True,
            outcome="not-sent",
        )

    def unknown_call(self) -> SpreadError:
        """The error of a call that the server does not implement."""
        return SpreadError(
            f"the server at {self.name} does not support this call; {_PORTS}; "
            "update the sidecar if it is older than this client",
            status="UNIMPLEMENTED",
            reason=NOT_A_SIDECAR,
            domain=SIDECAR_DOMAIN,
            metadata={"target": self.name},
            outcome="not-sent",
        )

    def _why(self, text: str) -> tuple[str, str]:
        if _NO_ADDRESS.search(text):
            return "name-resolution", f'the host name "{self.target.host}" cannot be resolved'
        last = _LAST_ERROR.fullmatch(text)
        detail = last.group(1) if last else text
        if "Connection refused" in detail:
            return "connection-refused", f"connection refused; {_CHECK}"
        if "No such file or directory" in detail:
            return "no-socket", f"no such socket file; {_CHECK}"
        if "Permission denied" in detail:
            return "permission-denied", "permission denied"
        if re.search(r"No route to host|Network is unreachable|timed out|deadline exceeded", detail, re.IGNORECASE):
            return "no-route", f"{detail}; {_CHECK}"
        if not self.has_tls:
            return (
                "not-grpc",
                f"the port does not accept gRPC without TLS; set the option tls if the sidecar uses TLS, and {_PORTS}",
            )
        certificate = _BAD_CERTIFICATE.search(detail)
        if certificate is not None:
            detail = certificate.group("detail") or certificate.group("name")
            return (
                "tls-certificate",
                f"the client rejects the sidecar's certificate ({detail}); "
                "set the expected certificate authority or server name with the option tls",
            )
        if re.search(r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL", detail):
            return (
                "tls-not-offered",
                f"the port does not accept TLS; set the option tls only if the sidecar uses TLS, and {_PORTS}",
            )
        return "other", detail
