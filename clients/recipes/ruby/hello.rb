# frozen_string_literal: true

# Joins a group, sends it a message and prints what comes back: ruby -I gen hello.rb [target]
require 'spread/sidecar/v1/mailbox_service_services_pb'

V1 = Spread::Sidecar::V1

# The authority names the sidecar the same over TCP and a Unix socket; the proxy of the environment is not for it.
stub = V1::MailboxService::Stub.new(
  ARGV.fetch(0, '127.0.0.1:4813'),
  :this_channel_is_insecure,
  channel_args: { 'grpc.default_authority' => 'localhost', 'grpc.enable_http_proxy' => 0 }
)

mailbox = stub.connect(V1::ConnectRequest.new).mailbox_id
stub.join(V1::JoinRequest.new(mailbox_id: mailbox, group: 'cats', await_view: true))
message = V1::MulticastMessage.new(service_type: :SERVICE_TYPE_AGREED, groups: ['cats'], payload: 'hello')
stub.multicast(V1::MulticastRequest.new(mailbox_id: mailbox, message: message))

receiving = stub.receive(V1::ReceiveRequest.new(mailbox_id: mailbox), return_op: true)
regular = receiving.execute.lazy
                   .flat_map { |response| response.batch ? response.batch.events.to_a : [] }
                   .filter_map(&:regular_message)
                   .first
puts "#{regular.sender}: #{regular.payload}"
receiving.cancel

stub.disconnect(V1::DisconnectRequest.new(mailbox_id: mailbox))
