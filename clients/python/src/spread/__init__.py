"""The module ``spread`` of the old Python wrapper of Spread's C library, over a spread-sidecar.

Programs for the wrapper run unchanged. ``connect`` returns a mailbox, ``receive`` returns RegularMsgType and
MembershipMsgType, and failures raise SpreadError. ``DROP_IN.md`` describes the environment variables and the
differences. Use ``spread_sidecar`` for new programs.
"""

from __future__ import annotations

from pkgutil import extend_path

from spread_sidecar import constants as _constants
from spread_sidecar.constants import *  # noqa: F403

from ._connect import connect, version
from ._errors import SpreadError
from ._mailbox import MailboxType
from ._messages import GroupIdType, MembershipMsgType, RegularMsgType

# Classes generated from the contract are in `spread.sidecar`, elsewhere on the path of modules.
__path__ = extend_path(__path__, __name__)

#: The name that the wrapper's exception has in old programs.
error = SpreadError

# In the wrapper: what its receive() begins with before it asks for more. There is nothing to begin with here.
DEFAULT_BUFFER_SIZE = 10000  # type: ignore[misc]
DEFAULT_GROUPS_SIZE = 10  # type: ignore[misc]

# In the wrapper a C int.
ENDIAN_RESERVED = -0x7FFFFF80  # type: ignore[misc]

# With the constants: old programs do `from spread import *`.
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
