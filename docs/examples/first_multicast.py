"""A first multicast with nothing but gRPC: no client library of ours, only classes made from the contract.

    pip install grpcio grpcio-tools
    mkdir -p gen
    python -m grpc_tools.protoc -I proto --python_out=gen --grpc_python_out=gen proto/spread/sidecar/v1/*.proto
    PYTHONPATH=gen python docs/examples/first_multicast.py 127.0.0.1:4813
"""

import sys

import grpc

from spread.sidecar.v1 import mailbox_service_pb2 as pb
from spread.sidecar.v1 import mailbox_service_pb2_grpc as rpc
from spread.sidecar.v1 import types_pb2 as types


def main(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        sidecar = rpc.MailboxServiceStub(channel)
        # A program that ends without Disconnect leaves its mailbox, and the private name, to the lease: 30 s by default.
        request = pb.ConnectRequest(private_name="hello", on_name_conflict=types.NAME_CONFLICT_POLICY_SUFFIX)
        mailbox = sidecar.Connect(request, timeout=5)
        print("connected as", mailbox.private_group)

        view = sidecar.Join(
            pb.JoinRequest(mailbox_id=mailbox.mailbox_id, group="greetings", await_view=True), timeout=5
        ).view
        print("members of greetings:", ", ".join(view.members))

        message = pb.MulticastMessage(
            service_type=types.SERVICE_TYPE_AGREED, groups=["greetings"], payload=b"hello, group"
        )
        sidecar.Multicast(pb.MulticastRequest(mailbox_id=mailbox.mailbox_id, message=message), timeout=5)

        events = sidecar.Receive(pb.ReceiveRequest(mailbox_id=mailbox.mailbox_id), timeout=5)
        for frame in events:
            for event in frame.batch.events:
                if event.HasField("regular_message"):
                    got = event.regular_message
                    print(f"{got.sender} says: {got.payload.decode()}")
                    events.cancel()
                    sidecar.Disconnect(pb.DisconnectRequest(mailbox_id=mailbox.mailbox_id), timeout=5)
                    return


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813")
