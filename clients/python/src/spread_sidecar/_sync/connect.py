"""A mailbox over its own channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, cast

from .._core.requests import split_options
from ..cancellation import Cancellation
from ..info import VersionTriple
from ..options import MailboxOptions, SidecarOptions
from .mailbox import Mailbox
from .sidecar import SpreadSidecar

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..options import ConnectOptions


def connect(
    *,
    timeout: Optional[float] = None,
    cancel: Optional[Cancellation] = None,
    **options: Unpack[ConnectOptions],
) -> Mailbox:
    """Opens a mailbox over its own channel. ``disconnect()`` also closes the channel.

    The options are those of ``SidecarOptions`` and ``MailboxOptions``. To open several mailboxes over one channel,
    use ``SpreadSidecar``.
    """
    channel, mailbox = split_options(options, SidecarOptions)
    sidecar = SpreadSidecar(**cast(SidecarOptions, channel))
    try:
        return sidecar._connect(
            cast(MailboxOptions, mailbox), timeout, cancel, lambda: sidecar.close(keep_mailboxes=True)
        )
    except BaseException:
        sidecar.close()
        raise


def version(*, timeout: Optional[float] = None, **options: Unpack[SidecarOptions]) -> VersionTriple:
    """The version that SP_version returns: the release of Spread whose client protocol the sidecar uses."""
    with SpreadSidecar(**options) as sidecar:
        return sidecar.version(timeout=timeout).client_protocol
