#!/usr/bin/env python
# Messages to several groups at once: each member gets one, whatever number of the groups it is in.
import spread

a = spread.connect(private_name="a", membership=0)
b = spread.connect(private_name="b", membership=0)
a.join("red")
a.join("blue")
b.join("blue")
sent = a.multigroup_multicast(spread.AGREED_MESS, ("red", "blue"), b"\x00\xff raw", -7)
assert sent == 6, sent
a.multicast(spread.AGREED_MESS, "red", b"only red")
a.multicast(spread.AGREED_MESS | spread.SELF_DISCARD, "blue", b"not for me")
a.multicast(spread.AGREED_MESS, "blue", b"last")

first = a.receive()
assert first.message == b"\x00\xff raw", first.message
assert tuple(first.groups) == ("red", "blue")
assert first.msg_type == -7 and first.endian == 0
assert [a.receive().message for _ in range(2)] == [b"only red", b"last"]

# b has sent nothing: its names are text, and so are its messages, whatever bytes they have.
other = b.receive()
assert other.message.encode("utf-8", "surrogateescape") == b"\x00\xff raw"
assert [b.receive().message for _ in range(2)] == ["not for me", "last"]

for groups, kind in ((["red"], TypeError), ((), ValueError), ((1,), TypeError)):
    try:
        a.multigroup_multicast(spread.AGREED_MESS, groups, "x")
    except kind:
        pass
    else:
        raise AssertionError(groups)
a.disconnect()
b.disconnect()
print("ok")
