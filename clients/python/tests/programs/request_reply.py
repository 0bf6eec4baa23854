#!/usr/bin/env python
# A service that answers to the private group of whoever asked.
import threading

import spread

server = spread.connect(name="server", membership=0)
server.join("square")


def serve():
    while 1:
        request = server.receive()
        if request.message == "stop":
            return
        answer = str(int(request.message) ** 2)
        server.multicast(spread.RELIABLE_MESS, request.sender, answer, request.msg_type)


thread = threading.Thread(target=serve)
thread.start()
client = spread.connect(name="client")
for number in range(1, 11):
    client.multicast(spread.RELIABLE_MESS, "square", str(number), number)
    reply = client.receive()
    assert reply.sender == server.private_group
    assert reply.groups == (client.private_group,)
    assert reply.msg_type == number
    print("%d * %d = %s" % (number, number, reply.message))
client.multicast(spread.RELIABLE_MESS, "square", "stop")
thread.join(20)
client.disconnect()
server.disconnect()
