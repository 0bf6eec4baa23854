// Joins a group, sends it a message and prints what comes back: hello [target]
#include <iostream>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "spread/sidecar/v1/mailbox_service.grpc.pb.h"

namespace v1 = spread::sidecar::v1;

namespace {

bool failed(const char* call, const grpc::Status& status) {
  if (status.ok()) return false;
  // status.error_details() is a google.rpc.Status: its ErrorInfo has the reason and the field that is wrong.
  std::cerr << call << ": " << status.error_message() << " (status " << status.error_code() << ")\n";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  grpc::ChannelArguments arguments;
  // Names the sidecar the same over TCP and a Unix socket, and goes round the proxy of the environment.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::string target = argc > 1 ? argv[1] : "127.0.0.1:4813";
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  auto stub = v1::MailboxService::NewStub(channel);

  std::string mailbox;
  {
    grpc::ClientContext context;
    v1::ConnectRequest request;
    v1::ConnectResponse response;
    if (failed("Connect", stub->Connect(&context, request, &response))) return 1;
    mailbox = response.mailbox_id();
  }
  {
    grpc::ClientContext context;
    v1::JoinRequest request;
    v1::JoinResponse response;
    request.set_mailbox_id(mailbox);
    request.set_group("cats");
    request.set_await_view(true);
    if (failed("Join", stub->Join(&context, request, &response))) return 1;
  }
  {
    grpc::ClientContext context;
    v1::MulticastRequest request;
    v1::MulticastResponse response;
    request.set_mailbox_id(mailbox);
    request.mutable_message()->set_service_type(v1::SERVICE_TYPE_AGREED);
    request.mutable_message()->add_groups("cats");
    request.mutable_message()->set_payload("hello");
    if (failed("Multicast", stub->Multicast(&context, request, &response))) return 1;
  }

  bool received = false;
  {
    grpc::ClientContext context;
    v1::ReceiveRequest request;
    v1::ReceiveResponse response;
    request.set_mailbox_id(mailbox);
    auto reader = stub->Receive(&context, request);
    while (!received && reader->Read(&response))
      for (const v1::Event& event : response.batch().events()) {
        if (!event.has_regular_message()) continue;
        std::cout << event.regular_message().sender() << ": " << event.regular_message().payload() << "\n";
        received = true;
      }
    // Cancelled because it would go on for ever; the end of a stream that ends by itself tells why.
    context.TryCancel();
    const grpc::Status end = reader->Finish();
    if (!received && failed("Receive", end)) return 1;
  }

  grpc::ClientContext context;
  v1::DisconnectRequest request;
  v1::DisconnectResponse response;
  request.set_mailbox_id(mailbox);
  return failed("Disconnect", stub->Disconnect(&context, request, &response)) ? 1 : 0;
}
