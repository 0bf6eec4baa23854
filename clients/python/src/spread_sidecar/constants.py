"""Every constant of Spread's C API (``sp.h`` of Spread 5.0.1), under its own name and with its own value."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACCEPT_SESSION",
    "AGREED_MESS",
    "BUFFER_TOO_SHORT",
    "CAUSAL_MESS",
    "CAUSED_BY_DISCONNECT",
    "CAUSED_BY_JOIN",
    "CAUSED_BY_LEAVE",
    "CAUSED_BY_NETWORK",
    "CONNECTION_CLOSED",
    "COULD_NOT_CONNECT",
    "DEFAULT_BUFFER_SIZE",
    "DEFAULT_GROUPS_SIZE",
    "DEFAULT_SIDECAR_PORT",
    "DEFAULT_SPREAD_PORT",
    "DROP_RECV",
    "ENDIAN_RESERVED",
    "FIFO_MESS",
    "GROUPS_TOO_SHORT",
    "HIGH_PRIORITY",
    "ILLEGAL_GROUP",
    "ILLEGAL_MESSAGE",
    "ILLEGAL_MESSAGE_TYPE",
    "ILLEGAL_PARAM",
    "ILLEGAL_RECEIVERS",
    "ILLEGAL_SERVICE",
    "ILLEGAL_SESSION",
    "ILLEGAL_SPREAD",
    "ILLEGAL_STATE",
    "ILLEGAL_TIME",
    "LOW_PRIORITY",
    "MAX_CLIENT_SCATTER_ELEMENTS",
    "MAX_GROUP_NAME",
    "MAX_PRIVATE_NAME",
    "MAX_PROC_NAME",
    "MEDIUM_PRIORITY",
    "MEMBERSHIP_MESS",
    "MESSAGE_TOO_LONG",
    "NET_ERROR_ON_SESSION",
    "REGULAR_MESS",
    "REG_MEMB_MESS",
    "REJECT_AUTH",
    "REJECT_ILLEGAL_NAME",
    "REJECT_MESS",
    "REJECT_NOT_UNIQUE",
    "REJECT_NO_NAME",
    "REJECT_QUOTA",
    "REJECT_VERSION",
    "RELIABLE_MESS",
    "RESERVED",
    "SAFE_MESS",
    "SELF_DISCARD",
    "SPREAD_VERSION",
    "SP_BUG",
    "TRANSITION_MESS",
    "UNRELIABLE_MESS",
    "WOULD_BLOCK",
]

# Connection priorities. Spread 5 stores 0 and 1 and gives them no effect; 2 is refused.
LOW_PRIORITY: Final = 0
MEDIUM_PRIORITY: Final = 1
HIGH_PRIORITY: Final = 2

#: The port of a Spread daemon that is configured for no other.
DEFAULT_SPREAD_PORT: Final = 4803
#: The port of a spread-sidecar that is configured for no other. Not a constant of Spread.
DEFAULT_SIDECAR_PORT: Final = 4813

#: The release as Spread 5.0.1's header has it: major in bits 24..31, minor in 16..23, patch in 0..15. The header
#: of 5.0.1 says 5.0.0; the triple that SP_version returns, and that ``version()`` asks for, is 5.0.1.
SPREAD_VERSION: Final = 0x05000000

#: Bytes of a group name's field. One of them is the NUL, so a name has at most 31.
MAX_GROUP_NAME: Final = 32
#: Most characters of a private name.
MAX_PRIVATE_NAME: Final = 10
#: Bytes of a daemon name's field, with its NUL: a daemon name has at most 19.
MAX_PROC_NAME: Final = 20
#: Most pieces of one message in the scatter calls of the C library. Payloads here are of one piece.
MAX_CLIENT_SCATTER_ELEMENTS: Final = 100

#: Service type: may be lost, in no order. Spread 5 treats it as RELIABLE_MESS.
UNRELIABLE_MESS: Final = 0x00000001
#: Service type: arrives, in no order.
RELIABLE_MESS: Final = 0x00000002
#: Service type: arrives in its sender's order.
FIFO_MESS: Final = 0x00000004
#: Service type: arrives after everything it may depend on. Spread 5 treats it as AGREED_MESS.
CAUSAL_MESS: Final = 0x00000008
#: Service type: one total order at all receivers.
AGREED_MESS: Final = 0x00000010
#: Service type: AGREED_MESS, and delivered only once every daemon concerned holds it.
SAFE_MESS: Final = 0x00000020
#: All six service types.
REGULAR_MESS: Final = 0x0000003F

#: Added to a service type: no copy to the sender.
SELF_DISCARD: Final = 0x00000040
#: Asks the C library's receive to cut a message that is too long for its buffer. Buffers here always fit, so there
#: is nothing to ask for; the name is kept for programs that print or compare it.
DROP_RECV: Final = 0x01000000

#: A view of a group.
REG_MEMB_MESS: Final = 0x00001000
#: A transitional signal.
TRANSITION_MESS: Final = 0x00002000
#: A view because one member joined.
CAUSED_BY_JOIN: Final = 0x00000100
#: A view because one member left. Without REG_MEMB_MESS: the receiver itself left.
CAUSED_BY_LEAVE: Final = 0x00000200
#: A view because one member's connection ended.
CAUSED_BY_DISCONNECT: Final = 0x00000400
#: A view because daemons were lost or found.
CAUSED_BY_NETWORK: Final = 0x00000800
#: All bits of membership messages.
MEMBERSHIP_MESS: Final = 0x00003F00

#: The byte-order marker of Spread's wire; never set in what this package returns.
ENDIAN_RESERVED: Final = 0x80000080
#: Bits that Spread keeps for itself.
RESERVED: Final = 0x003FC000
#: A message that the daemon's policy refused.
REJECT_MESS: Final = 0x00400000

#: The answer of a daemon that accepts a session. Not an error.
ACCEPT_SESSION: Final = 1
#: The spread name is not well formed.
ILLEGAL_SPREAD: Final = -1
#: The daemon can't be reached.
COULD_NOT_CONNECT: Final = -2
#: The daemon has as many sessions as it may.
REJECT_QUOTA: Final = -3
#: No private name was given. Spread 5 never answers it.
REJECT_NO_NAME: Final = -4
#: The private name has characters or a length that it may not have.
REJECT_ILLEGAL_NAME: Final = -5
#: The private name is in use at this daemon.
REJECT_NOT_UNIQUE: Final = -6
#: The daemon does not speak this version.
REJECT_VERSION: Final = -7
#: The connection to the daemon has ended.
CONNECTION_CLOSED: Final = -8
#: The daemon refused the authentication.
REJECT_AUTH: Final = -9
#: There is no such mailbox, or no longer.
ILLEGAL_SESSION: Final = -11
#: The service type is not exactly one of the six.
ILLEGAL_SERVICE: Final = -12
#: The message is not well formed.
ILLEGAL_MESSAGE: Final = -13
#: A group name is not well formed, or there are none or too many.
ILLEGAL_GROUP: Final = -14
#: A receive buffer is too short. Cannot happen here; kept for programs that compare it.
BUFFER_TOO_SHORT: Final = -15
#: A receive group list is too short. Cannot happen here; kept for programs that compare it.
GROUPS_TOO_SHORT: Final = -16
#: The message is longer than the daemon can carry.
MESSAGE_TOO_LONG: Final = -17
#: The session had failed before this call.
NET_ERROR_ON_SESSION: Final = -18
#: A defect inside Spread.
SP_BUG: Final = -19
#: A time that was given is not valid.
ILLEGAL_TIME: Final = -20

#: Flush library: a parameter is not valid.
ILLEGAL_PARAM: Final = -24
#: Flush library: the call would have to wait.
WOULD_BLOCK: Final = -25
#: Flush library: the message type is one that the library keeps for itself.
ILLEGAL_MESSAGE_TYPE: Final = -26
#: Flush library: not allowed in the current state of the group.
ILLEGAL_STATE: Final = -27
#: Flush library: the list of receivers is not valid.
ILLEGAL_RECEIVERS: Final = -28

#: Bytes of the buffer that ``receive()`` begins with in the Python wrapper. No buffer has to grow here: this
#: is the largest payload to one group that a Spread 5.0.1 daemon handles safely.
DEFAULT_BUFFER_SIZE: Final = 143_119
#: Groups that ``receive()`` has room for at first in the Python wrapper. Here: the most that Spread 5 allows.
DEFAULT_GROUPS_SIZE: Final = 100
