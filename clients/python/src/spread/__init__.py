"""The module ``spread`` of the old Python wrapper of Spread's C library, on top of a spread-sidecar.

A program for the wrapper runs without changes: ``connect`` returns a mailbox, ``receive`` returns
RegularMsgType and MembershipMsgType, and failures raise SpreadError. ``DROP_IN.md`` has the environment
variables and the few differences. For new programs, use ``spread_sidecar``.
"""

from __future__ import annotations

from pkgutil import extend_path

from spread_sidecar import constants as _constants
from spread_sidecar.constants import *  # noqa: F403

from ._connect import connect, version
from ._errors import SpreadError
from ._mailbox import MailboxType
from ._messages import GroupIdType, MembershipMsgType, RegularMsgType

# The classes that are generated from the contract are in `spread.sidecar`, elsewhere on the module path.
__path__ = extend_path(__path__, __name__)

#: The name of the exception in old programs.
error = SpreadError

# In the wrapper, the initial sizes of the buffers of receive(). In this module they have no effect.
DEFAULT_BUFFER_SIZE = 10000  # type: ignore[misc]
DEFAULT_GROUPS_SIZE = 10  # type: ignore[misc]

# A C int in the wrapper.
ENDIAN_RESERVED = -0x7FFFFF80  # type: ignore[misc]

# Includes the constants: old programs use `from spread import *`.
__all__ = [
    "GroupIdType",
    "MailboxType",
    "MembershipMsgType",
    "RegularMsgType",
    "SpreadError",
    "connect",
    "error",
    "version",
]
__all__ += _constants.__all__
