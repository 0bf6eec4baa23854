"""A mailbox over its own channel."""

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
    """Opens a mailbox over its own channel. ``disconnect()`` also closes the channel.

    Use ``await`` or ``async with``. The options are those of ``AsyncSidecarOptions`` and ``MailboxOptions``. To open
    several mailboxes over one channel, use ``SpreadSidecar``.
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
    """The version that SP_version returns: the release of Spread whose client protocol the sidecar uses."""
    async with SpreadSidecar(**options) as sidecar:
        return (await sidecar.version(timeout=timeout)).client_protocol
