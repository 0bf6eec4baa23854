#!/usr/bin/env python
# Watches a group: who comes, who goes, and that all agree on the identity of each membership.
import spread

one = spread.connect(private_name="one")
two = spread.connect(private_name="two")

one.join("club")
first = one.receive()
assert isinstance(first, spread.MembershipMsgType)
assert first.reason == spread.CAUSED_BY_JOIN and first.group == "club"
assert tuple(first.members) == (one.private_group,) and tuple(first.extra) == (one.private_group,)

two.join("club")
at_one, at_two = one.receive(), two.receive()
assert at_one.group_id == at_two.group_id
assert at_one.group_id != first.group_id
assert not (at_one.group_id != at_two.group_id)
assert sorted(at_one.members) == sorted([one.private_group, two.private_group])
assert tuple(at_one.extra) == (two.private_group,)

two.leave("club")
left = one.receive()
assert left.reason == spread.CAUSED_BY_LEAVE and tuple(left.extra) == (two.private_group,)
own = two.receive()
assert isinstance(own, spread.MembershipMsgType)
assert own.reason == spread.CAUSED_BY_LEAVE and own.group == "club" and len(own.members) == 0

two.join("club")
assert one.receive().reason == two.receive().reason == spread.CAUSED_BY_JOIN
name = two.private_group
two.disconnect()
gone = one.receive()
assert gone.reason == spread.CAUSED_BY_DISCONNECT and tuple(gone.extra) == (name,)
assert tuple(gone.members) == (one.private_group,)

# A mailbox that nobody has any more is disconnected too.
three = spread.connect(private_name="three", membership=0)
three.join("club")
assert one.receive().reason == spread.CAUSED_BY_JOIN
del three
assert one.receive().reason == spread.CAUSED_BY_DISCONNECT
one.disconnect()
print("ok")
