"""The API of ``spread_sidecar`` for asyncio: the same names, with ``await`` for blocking calls.

To cancel a call, cancel its task. Objects belong to the event loop in which they were created.
"""

from __future__ import annotations

from .connect import connect, version
from .mailbox import Mailbox
from .request_reply import RequestReply, RequestService
from .sender import Sender
from .sidecar import SpreadSidecar

__all__ = ["Mailbox", "RequestReply", "RequestService", "Sender", "SpreadSidecar", "connect", "version"]
