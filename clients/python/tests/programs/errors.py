#!/usr/bin/env python
# Every failure is a SpreadError with a number and a text, or with a text alone.
import spread


def fails(number, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except spread.SpreadError as e:
        if number is None:
            assert len(e.args) == 1 and isinstance(e.args[0], str), e.args
        else:
            assert e.args[0] == number, e.args
            code, text = e.args
            assert isinstance(text, str) and text
    else:
        raise AssertionError("%r did not fail" % (function,))


assert spread.error is spread.SpreadError
assert len(spread.version()) == 3 and spread.version()[0] >= 3

box = spread.connect(private_name="unique")
fails(spread.REJECT_NOT_UNIQUE, spread.connect, private_name="unique")
fails(spread.REJECT_ILLEGAL_NAME, spread.connect, private_name="a b")
fails(spread.REJECT_NOT_UNIQUE, spread.connect, private_name="unique")
# What is too long is cut: to 10 bytes of a private name, to 31 of a destination.
cut = spread.connect(private_name="much_too_long_a_name")
assert cut.private_group.startswith("#much_too_l#"), cut.private_group
cut.disconnect()
fails(spread.ILLEGAL_SPREAD, spread.connect, "not a daemon")
fails(spread.ILLEGAL_SPREAD, spread.connect, "4803@somewhere.else")
fails(spread.ILLEGAL_GROUP, box.join, "no spaces please")
fails(spread.ILLEGAL_GROUP, box.leave, "")
assert box.multicast(spread.SAFE_MESS, "x" * 32, "text") == 4
assert box.multicast(spread.SAFE_MESS, "no spaces please", "text") == 4
assert box.multicast(spread.SAFE_MESS, "", "text") == 4
fails(spread.ILLEGAL_SERVICE, box.multicast, 0, "group", "text")
fails(spread.MESSAGE_TOO_LONG, box.multicast, spread.SAFE_MESS, "group", "x" * 200000)
for wrong in (("group",), (spread.SAFE_MESS, "group"), (spread.SAFE_MESS, 1, "x"), (spread.SAFE_MESS, "g", 1)):
    try:
        box.multicast(*wrong)
    except TypeError:
        pass
    else:
        raise AssertionError(wrong)
try:
    box.multicast(spread.MEMBERSHIP_MESS, "group", "text")
except ValueError:
    pass
else:
    raise AssertionError("service type")

box.disconnect()
box.disconnect()
for method, args in (("join", ("g",)), ("leave", ("g",)), ("receive", ()), ("poll", ()), ("fileno", ()),
                     ("multicast", (spread.SAFE_MESS, "g", "x")),
                     ("multigroup_multicast", (spread.SAFE_MESS, ("g",), "x"))):
    fails(None, getattr(box, method), *args)
print("ok")
