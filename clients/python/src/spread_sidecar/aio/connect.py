"""A mailbox with its own channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, cast

from .._core.requests import split_options
from ..info import VersionTriple
from ..options import AsyncSidecarOptions, MailboxOptions
from .mailbox import Mailbox
from .opening import Opening
from .sidecar import SpreadSidecar

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..options import AsyncConnectOptions


def connect(*, timeout: Optional[float] = None, **options: Unpack[AsyncConnectOptions]) -> Opening[Mailbox]:
    """Opens a mailbox with its own channel, which ``disconnect()`` closes too.

    Await the result, or use it with ``async with``. Options: those of ``AsyncSidecarOptions`` and
    ``MailboxOptions``. For several mailboxes over one channel see ``SpreadSidecar``.
    """
    return Opening(_connect(timeout, options))


async def _connect(timeout: Optional[float], options: AsyncConnectOptions) -> Mailbox:
    channel, mailbox = split_options(options, AsyncSidecarOptions)
    sidecar = SpreadSidecar(**cast(AsyncSidecarOptions, channel))
    try:
        return await sidecar._connect(
            cast(MailboxOptions, mailbox), timeout, lambda: sidecar.close(keep_mailboxes=True)
        )
    except BaseException:
        await sidecar.close()
        raise


async def version(*, timeout: Optional[float] = None, **options: Unpack[AsyncSidecarOptions]) -> VersionTriple:
    """The triple that SP_version returns: the Spread release whose protocol the sidecar supports."""
    async with SpreadSidecar(**options) as sidecar:
        return (await sidecar.version(timeout=timeout)).client_protocol
