package org.spreadsidecar.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Mailboxes of Spread.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class MailboxServiceGrpc {

  private MailboxServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "spread.sidecar.v1.MailboxService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.ConnectRequest,
      org.spreadsidecar.v1.ConnectResponse> getConnectMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Connect",
      requestType = org.spreadsidecar.v1.ConnectRequest.class,
      responseType = org.spreadsidecar.v1.ConnectResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.ConnectRequest,
      org.spreadsidecar.v1.ConnectResponse> getConnectMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.ConnectRequest, org.spreadsidecar.v1.ConnectResponse> getConnectMethod;
    if ((getConnectMethod = MailboxServiceGrpc.getConnectMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getConnectMethod = MailboxServiceGrpc.getConnectMethod) == null) {
          MailboxServiceGrpc.getConnectMethod = getConnectMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.ConnectRequest, org.spreadsidecar.v1.ConnectResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Connect"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ConnectRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ConnectResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Connect"))
              .build();
        }
      }
    }
    return getConnectMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.DisconnectRequest,
      org.spreadsidecar.v1.DisconnectResponse> getDisconnectMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Disconnect",
      requestType = org.spreadsidecar.v1.DisconnectRequest.class,
      responseType = org.spreadsidecar.v1.DisconnectResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.DisconnectRequest,
      org.spreadsidecar.v1.DisconnectResponse> getDisconnectMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.DisconnectRequest, org.spreadsidecar.v1.DisconnectResponse> getDisconnectMethod;
    if ((getDisconnectMethod = MailboxServiceGrpc.getDisconnectMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getDisconnectMethod = MailboxServiceGrpc.getDisconnectMethod) == null) {
          MailboxServiceGrpc.getDisconnectMethod = getDisconnectMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.DisconnectRequest, org.spreadsidecar.v1.DisconnectResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Disconnect"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.DisconnectRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.DisconnectResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Disconnect"))
              .build();
        }
      }
    }
    return getDisconnectMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.JoinRequest,
      org.spreadsidecar.v1.JoinResponse> getJoinMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Join",
      requestType = org.spreadsidecar.v1.JoinRequest.class,
      responseType = org.spreadsidecar.v1.JoinResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.JoinRequest,
      org.spreadsidecar.v1.JoinResponse> getJoinMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.JoinRequest, org.spreadsidecar.v1.JoinResponse> getJoinMethod;
    if ((getJoinMethod = MailboxServiceGrpc.getJoinMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getJoinMethod = MailboxServiceGrpc.getJoinMethod) == null) {
          MailboxServiceGrpc.getJoinMethod = getJoinMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.JoinRequest, org.spreadsidecar.v1.JoinResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Join"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.JoinRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.JoinResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Join"))
              .build();
        }
      }
    }
    return getJoinMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.LeaveRequest,
      org.spreadsidecar.v1.LeaveResponse> getLeaveMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Leave",
      requestType = org.spreadsidecar.v1.LeaveRequest.class,
      responseType = org.spreadsidecar.v1.LeaveResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.LeaveRequest,
      org.spreadsidecar.v1.LeaveResponse> getLeaveMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.LeaveRequest, org.spreadsidecar.v1.LeaveResponse> getLeaveMethod;
    if ((getLeaveMethod = MailboxServiceGrpc.getLeaveMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getLeaveMethod = MailboxServiceGrpc.getLeaveMethod) == null) {
          MailboxServiceGrpc.getLeaveMethod = getLeaveMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.LeaveRequest, org.spreadsidecar.v1.LeaveResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Leave"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.LeaveRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.LeaveResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Leave"))
              .build();
        }
      }
    }
    return getLeaveMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastRequest,
      org.spreadsidecar.v1.MulticastResponse> getMulticastMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Multicast",
      requestType = org.spreadsidecar.v1.MulticastRequest.class,
      responseType = org.spreadsidecar.v1.MulticastResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastRequest,
      org.spreadsidecar.v1.MulticastResponse> getMulticastMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastRequest, org.spreadsidecar.v1.MulticastResponse> getMulticastMethod;
    if ((getMulticastMethod = MailboxServiceGrpc.getMulticastMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getMulticastMethod = MailboxServiceGrpc.getMulticastMethod) == null) {
          MailboxServiceGrpc.getMulticastMethod = getMulticastMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.MulticastRequest, org.spreadsidecar.v1.MulticastResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Multicast"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.MulticastRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.MulticastResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Multicast"))
              .build();
        }
      }
    }
    return getMulticastMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastStreamRequest,
      org.spreadsidecar.v1.MulticastStreamResponse> getMulticastStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "MulticastStream",
      requestType = org.spreadsidecar.v1.MulticastStreamRequest.class,
      responseType = org.spreadsidecar.v1.MulticastStreamResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastStreamRequest,
      org.spreadsidecar.v1.MulticastStreamResponse> getMulticastStreamMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.MulticastStreamRequest, org.spreadsidecar.v1.MulticastStreamResponse> getMulticastStreamMethod;
    if ((getMulticastStreamMethod = MailboxServiceGrpc.getMulticastStreamMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getMulticastStreamMethod = MailboxServiceGrpc.getMulticastStreamMethod) == null) {
          MailboxServiceGrpc.getMulticastStreamMethod = getMulticastStreamMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.MulticastStreamRequest, org.spreadsidecar.v1.MulticastStreamResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "MulticastStream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.MulticastStreamRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.MulticastStreamResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("MulticastStream"))
              .build();
        }
      }
    }
    return getMulticastStreamMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.ReceiveRequest,
      org.spreadsidecar.v1.ReceiveResponse> getReceiveMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Receive",
      requestType = org.spreadsidecar.v1.ReceiveRequest.class,
      responseType = org.spreadsidecar.v1.ReceiveResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.ReceiveRequest,
      org.spreadsidecar.v1.ReceiveResponse> getReceiveMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.ReceiveRequest, org.spreadsidecar.v1.ReceiveResponse> getReceiveMethod;
    if ((getReceiveMethod = MailboxServiceGrpc.getReceiveMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getReceiveMethod = MailboxServiceGrpc.getReceiveMethod) == null) {
          MailboxServiceGrpc.getReceiveMethod = getReceiveMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.ReceiveRequest, org.spreadsidecar.v1.ReceiveResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Receive"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ReceiveRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ReceiveResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Receive"))
              .build();
        }
      }
    }
    return getReceiveMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.AcknowledgeRequest,
      org.spreadsidecar.v1.AcknowledgeResponse> getAcknowledgeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Acknowledge",
      requestType = org.spreadsidecar.v1.AcknowledgeRequest.class,
      responseType = org.spreadsidecar.v1.AcknowledgeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.AcknowledgeRequest,
      org.spreadsidecar.v1.AcknowledgeResponse> getAcknowledgeMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.AcknowledgeRequest, org.spreadsidecar.v1.AcknowledgeResponse> getAcknowledgeMethod;
    if ((getAcknowledgeMethod = MailboxServiceGrpc.getAcknowledgeMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getAcknowledgeMethod = MailboxServiceGrpc.getAcknowledgeMethod) == null) {
          MailboxServiceGrpc.getAcknowledgeMethod = getAcknowledgeMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.AcknowledgeRequest, org.spreadsidecar.v1.AcknowledgeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Acknowledge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.AcknowledgeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.AcknowledgeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Acknowledge"))
              .build();
        }
      }
    }
    return getAcknowledgeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.PollRequest,
      org.spreadsidecar.v1.PollResponse> getPollMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Poll",
      requestType = org.spreadsidecar.v1.PollRequest.class,
      responseType = org.spreadsidecar.v1.PollResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.PollRequest,
      org.spreadsidecar.v1.PollResponse> getPollMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.PollRequest, org.spreadsidecar.v1.PollResponse> getPollMethod;
    if ((getPollMethod = MailboxServiceGrpc.getPollMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getPollMethod = MailboxServiceGrpc.getPollMethod) == null) {
          MailboxServiceGrpc.getPollMethod = getPollMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.PollRequest, org.spreadsidecar.v1.PollResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Poll"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.PollRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.PollResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("Poll"))
              .build();
        }
      }
    }
    return getPollMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetMailboxRequest,
      org.spreadsidecar.v1.GetMailboxResponse> getGetMailboxMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetMailbox",
      requestType = org.spreadsidecar.v1.GetMailboxRequest.class,
      responseType = org.spreadsidecar.v1.GetMailboxResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetMailboxRequest,
      org.spreadsidecar.v1.GetMailboxResponse> getGetMailboxMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetMailboxRequest, org.spreadsidecar.v1.GetMailboxResponse> getGetMailboxMethod;
    if ((getGetMailboxMethod = MailboxServiceGrpc.getGetMailboxMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getGetMailboxMethod = MailboxServiceGrpc.getGetMailboxMethod) == null) {
          MailboxServiceGrpc.getGetMailboxMethod = getGetMailboxMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.GetMailboxRequest, org.spreadsidecar.v1.GetMailboxResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetMailbox"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetMailboxRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetMailboxResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("GetMailbox"))
              .build();
        }
      }
    }
    return getGetMailboxMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetViewRequest,
      org.spreadsidecar.v1.GetViewResponse> getGetViewMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetView",
      requestType = org.spreadsidecar.v1.GetViewRequest.class,
      responseType = org.spreadsidecar.v1.GetViewResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetViewRequest,
      org.spreadsidecar.v1.GetViewResponse> getGetViewMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetViewRequest, org.spreadsidecar.v1.GetViewResponse> getGetViewMethod;
    if ((getGetViewMethod = MailboxServiceGrpc.getGetViewMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getGetViewMethod = MailboxServiceGrpc.getGetViewMethod) == null) {
          MailboxServiceGrpc.getGetViewMethod = getGetViewMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.GetViewRequest, org.spreadsidecar.v1.GetViewResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetView"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetViewRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetViewResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("GetView"))
              .build();
        }
      }
    }
    return getGetViewMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.ListMailboxesRequest,
      org.spreadsidecar.v1.ListMailboxesResponse> getListMailboxesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListMailboxes",
      requestType = org.spreadsidecar.v1.ListMailboxesRequest.class,
      responseType = org.spreadsidecar.v1.ListMailboxesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.ListMailboxesRequest,
      org.spreadsidecar.v1.ListMailboxesResponse> getListMailboxesMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.ListMailboxesRequest, org.spreadsidecar.v1.ListMailboxesResponse> getListMailboxesMethod;
    if ((getListMailboxesMethod = MailboxServiceGrpc.getListMailboxesMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getListMailboxesMethod = MailboxServiceGrpc.getListMailboxesMethod) == null) {
          MailboxServiceGrpc.getListMailboxesMethod = getListMailboxesMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.ListMailboxesRequest, org.spreadsidecar.v1.ListMailboxesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListMailboxes"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ListMailboxesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.ListMailboxesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("ListMailboxes"))
              .build();
        }
      }
    }
    return getListMailboxesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetVersionRequest,
      org.spreadsidecar.v1.GetVersionResponse> getGetVersionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetVersion",
      requestType = org.spreadsidecar.v1.GetVersionRequest.class,
      responseType = org.spreadsidecar.v1.GetVersionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetVersionRequest,
      org.spreadsidecar.v1.GetVersionResponse> getGetVersionMethod() {
    io.grpc.MethodDescriptor<org.spreadsidecar.v1.GetVersionRequest, org.spreadsidecar.v1.GetVersionResponse> getGetVersionMethod;
    if ((getGetVersionMethod = MailboxServiceGrpc.getGetVersionMethod) == null) {
      synchronized (MailboxServiceGrpc.class) {
        if ((getGetVersionMethod = MailboxServiceGrpc.getGetVersionMethod) == null) {
          MailboxServiceGrpc.getGetVersionMethod = getGetVersionMethod =
              io.grpc.MethodDescriptor.<org.spreadsidecar.v1.GetVersionRequest, org.spreadsidecar.v1.GetVersionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetVersion"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetVersionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.spreadsidecar.v1.GetVersionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new MailboxServiceMethodDescriptorSupplier("GetVersion"))
              .build();
        }
      }
    }
    return getGetVersionMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static MailboxServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<MailboxServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<MailboxServiceStub>() {
        @java.lang.Override
        public MailboxServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new MailboxServiceStub(channel, callOptions);
        }
      };
    return MailboxServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static MailboxServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<MailboxServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<MailboxServiceBlockingV2Stub>() {
        @java.lang.Override
        public MailboxServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new MailboxServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return MailboxServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static MailboxServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<MailboxServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<MailboxServiceBlockingStub>() {
        @java.lang.Override
        public MailboxServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new MailboxServiceBlockingStub(channel, callOptions);
        }
      };
    return MailboxServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static MailboxServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<MailboxServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<MailboxServiceFutureStub>() {
        @java.lang.Override
        public MailboxServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new MailboxServiceFutureStub(channel, callOptions);
        }
      };
    return MailboxServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Opens a mailbox (SP_connect). A failure opens none.
     * </pre>
     */
    default void connect(org.spreadsidecar.v1.ConnectRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ConnectResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getConnectMethod(), responseObserver);
    }

    /**
     * <pre>
     * Ends a mailbox (SP_disconnect, SP_kill). Ending one that is not there is no error. A Receive of the mailbox first gets the
     * queued events. If the receiver stalls, the sidecar waits for at most one lease period (ConnectRequest.lease), then
     * disconnects the receiver. Until then, the mailbox counts in the bounds of mailboxes and of queued bytes. The call
     * itself does not wait for the receiver.
     * </pre>
     */
    default void disconnect(org.spreadsidecar.v1.DisconnectRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.DisconnectResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDisconnectMethod(), responseObserver);
    }

    /**
     * <pre>
     * Joins a group (SP_join). Joining a group that the mailbox is in changes nothing.
     * </pre>
     */
    default void join(org.spreadsidecar.v1.JoinRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.JoinResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getJoinMethod(), responseObserver);
    }

    /**
     * <pre>
     * Leaves a group (SP_leave). Leaving a group that the mailbox is not in changes nothing.
     * </pre>
     */
    default void leave(org.spreadsidecar.v1.LeaveRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.LeaveResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getLeaveMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends one message (SP_multicast, SP_multigroup_multicast). Answered when the daemon's connection took
     * the bytes. The messages, joins and leaves of one mailbox reach the daemon in the order in which their
     * calls arrived, over unary calls and streams together.
     * When the call ends with DEADLINE_EXCEEDED or CANCELLED, or the connection breaks, the message may or
     * may not have been sent; where the sidecar itself knows that it can't tell, metadata `outcome` is
     * "unknown". The sidecar never sends anything twice on its own.
     * </pre>
     */
    default void multicast(org.spreadsidecar.v1.MulticastRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getMulticastMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends many messages in order. The first frame names the mailbox, and has to come within a minute (unless the
     * sidecar is configured otherwise), else DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT; the answers count, cumulatively, the messages that are decided. A message that is
     * refused is answered with its index and does not end the stream. At most the messages after the last
     * answer are in doubt when the stream breaks.
     * When the mailbox ends, so does the stream, also one that is idle, with the status of a send that comes
     * then; metadata `outcome` "not-sent" says that nothing after the last answer was sent.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastStreamRequest> multicastStream(
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastStreamResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getMulticastStreamMethod(), responseObserver);
    }

    /**
     * <pre>
     * Gives the mailbox's events, from where the caller says. One stream at a time: a second one takes over,
     * and the first ends with ABORTED, reason RECEIVER_REPLACED. The queue belongs to the mailbox, not to
     * the stream: a stream that breaks loses nothing that is retained.
     * The stream ends with OK after the last event when Disconnect was called; else with the status that
     * tells why: UNAVAILABLE with reason CONNECTION_CLOSED (the daemon is gone, or cut this mailbox; with
     * ReconnectPolicy the stream goes on, and ends so only when the sidecar gave up) or
     * DRAINING, RESOURCE_EXHAUSTED with reason QUEUE_OVERFLOW or SLOW_CONSUMER, ABORTED with reason
     * LEASE_EXPIRED. Metadata `last_sequence` is the last event's sequence. Every retained event comes before the
     * end; but after QUEUE_OVERFLOW and SLOW_CONSUMER a Receive that takes nothing for the length of the lease is
     * no longer waited for.
     * </pre>
     */
    default void receive(org.spreadsidecar.v1.ReceiveRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ReceiveResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReceiveMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lets the mailbox forget events. Only needed with EXPLICIT acknowledgement; with AUTO it is allowed
     * and shortens the replay window.
     * </pre>
     */
    default void acknowledge(org.spreadsidecar.v1.AcknowledgeRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.AcknowledgeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAcknowledgeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Counts what waits (SP_poll), without taking it.
     * </pre>
     */
    default void poll(org.spreadsidecar.v1.PollRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.PollResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPollMethod(), responseObserver);
    }

    /**
     * <pre>
     * State and counters of one mailbox.
     * </pre>
     */
    default void getMailbox(org.spreadsidecar.v1.GetMailboxRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetMailboxResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMailboxMethod(), responseObserver);
    }

    /**
     * <pre>
     * The current view of a group that the mailbox is in, without waiting for a change.
     * </pre>
     */
    default void getView(org.spreadsidecar.v1.GetViewRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetViewResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetViewMethod(), responseObserver);
    }

    /**
     * <pre>
     * State and counters of all mailboxes. For operators: needs the admin credential (`authorization:
     * Bearer &lt;token&gt;`), else PERMISSION_DENIED, reason ADMIN_ONLY.
     * </pre>
     */
    default void listMailboxes(org.spreadsidecar.v1.ListMailboxesRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ListMailboxesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMailboxesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
     * </pre>
     */
    default void getVersion(org.spreadsidecar.v1.GetVersionRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetVersionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetVersionMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service MailboxService.
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public static abstract class MailboxServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return MailboxServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service MailboxService.
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public static final class MailboxServiceStub
      extends io.grpc.stub.AbstractAsyncStub<MailboxServiceStub> {
    private MailboxServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected MailboxServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new MailboxServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Opens a mailbox (SP_connect). A failure opens none.
     * </pre>
     */
    public void connect(org.spreadsidecar.v1.ConnectRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ConnectResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getConnectMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Ends a mailbox (SP_disconnect, SP_kill). Ending one that is not there is no error. A Receive of the mailbox first gets the
     * queued events. If the receiver stalls, the sidecar waits for at most one lease period (ConnectRequest.lease), then
     * disconnects the receiver. Until then, the mailbox counts in the bounds of mailboxes and of queued bytes. The call
     * itself does not wait for the receiver.
     * </pre>
     */
    public void disconnect(org.spreadsidecar.v1.DisconnectRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.DisconnectResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDisconnectMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Joins a group (SP_join). Joining a group that the mailbox is in changes nothing.
     * </pre>
     */
    public void join(org.spreadsidecar.v1.JoinRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.JoinResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getJoinMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Leaves a group (SP_leave). Leaving a group that the mailbox is not in changes nothing.
     * </pre>
     */
    public void leave(org.spreadsidecar.v1.LeaveRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.LeaveResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getLeaveMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends one message (SP_multicast, SP_multigroup_multicast). Answered when the daemon's connection took
     * the bytes. The messages, joins and leaves of one mailbox reach the daemon in the order in which their
     * calls arrived, over unary calls and streams together.
     * When the call ends with DEADLINE_EXCEEDED or CANCELLED, or the connection breaks, the message may or
     * may not have been sent; where the sidecar itself knows that it can't tell, metadata `outcome` is
     * "unknown". The sidecar never sends anything twice on its own.
     * </pre>
     */
    public void multicast(org.spreadsidecar.v1.MulticastRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getMulticastMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends many messages in order. The first frame names the mailbox, and has to come within a minute (unless the
     * sidecar is configured otherwise), else DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT; the answers count, cumulatively, the messages that are decided. A message that is
     * refused is answered with its index and does not end the stream. At most the messages after the last
     * answer are in doubt when the stream breaks.
     * When the mailbox ends, so does the stream, also one that is idle, with the status of a send that comes
     * then; metadata `outcome` "not-sent" says that nothing after the last answer was sent.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastStreamRequest> multicastStream(
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastStreamResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getMulticastStreamMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Gives the mailbox's events, from where the caller says. One stream at a time: a second one takes over,
     * and the first ends with ABORTED, reason RECEIVER_REPLACED. The queue belongs to the mailbox, not to
     * the stream: a stream that breaks loses nothing that is retained.
     * The stream ends with OK after the last event when Disconnect was called; else with the status that
     * tells why: UNAVAILABLE with reason CONNECTION_CLOSED (the daemon is gone, or cut this mailbox; with
     * ReconnectPolicy the stream goes on, and ends so only when the sidecar gave up) or
     * DRAINING, RESOURCE_EXHAUSTED with reason QUEUE_OVERFLOW or SLOW_CONSUMER, ABORTED with reason
     * LEASE_EXPIRED. Metadata `last_sequence` is the last event's sequence. Every retained event comes before the
     * end; but after QUEUE_OVERFLOW and SLOW_CONSUMER a Receive that takes nothing for the length of the lease is
     * no longer waited for.
     * </pre>
     */
    public void receive(org.spreadsidecar.v1.ReceiveRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ReceiveResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getReceiveMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lets the mailbox forget events. Only needed with EXPLICIT acknowledgement; with AUTO it is allowed
     * and shortens the replay window.
     * </pre>
     */
    public void acknowledge(org.spreadsidecar.v1.AcknowledgeRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.AcknowledgeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getAcknowledgeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Counts what waits (SP_poll), without taking it.
     * </pre>
     */
    public void poll(org.spreadsidecar.v1.PollRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.PollResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPollMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * State and counters of one mailbox.
     * </pre>
     */
    public void getMailbox(org.spreadsidecar.v1.GetMailboxRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetMailboxResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMailboxMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * The current view of a group that the mailbox is in, without waiting for a change.
     * </pre>
     */
    public void getView(org.spreadsidecar.v1.GetViewRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetViewResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetViewMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * State and counters of all mailboxes. For operators: needs the admin credential (`authorization:
     * Bearer &lt;token&gt;`), else PERMISSION_DENIED, reason ADMIN_ONLY.
     * </pre>
     */
    public void listMailboxes(org.spreadsidecar.v1.ListMailboxesRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ListMailboxesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMailboxesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
     * </pre>
     */
    public void getVersion(org.spreadsidecar.v1.GetVersionRequest request,
        io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetVersionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetVersionMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service MailboxService.
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public static final class MailboxServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<MailboxServiceBlockingV2Stub> {
    private MailboxServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected MailboxServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new MailboxServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Opens a mailbox (SP_connect). A failure opens none.
     * </pre>
     */
    public org.spreadsidecar.v1.ConnectResponse connect(org.spreadsidecar.v1.ConnectRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getConnectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a mailbox (SP_disconnect, SP_kill). Ending one that is not there is no error. A Receive of the mailbox first gets the
     * queued events. If the receiver stalls, the sidecar waits for at most one lease period (ConnectRequest.lease), then
     * disconnects the receiver. Until then, the mailbox counts in the bounds of mailboxes and of queued bytes. The call
     * itself does not wait for the receiver.
     * </pre>
     */
    public org.spreadsidecar.v1.DisconnectResponse disconnect(org.spreadsidecar.v1.DisconnectRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDisconnectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Joins a group (SP_join). Joining a group that the mailbox is in changes nothing.
     * </pre>
     */
    public org.spreadsidecar.v1.JoinResponse join(org.spreadsidecar.v1.JoinRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getJoinMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves a group (SP_leave). Leaving a group that the mailbox is not in changes nothing.
     * </pre>
     */
    public org.spreadsidecar.v1.LeaveResponse leave(org.spreadsidecar.v1.LeaveRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getLeaveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends one message (SP_multicast, SP_multigroup_multicast). Answered when the daemon's connection took
     * the bytes. The messages, joins and leaves of one mailbox reach the daemon in the order in which their
     * calls arrived, over unary calls and streams together.
     * When the call ends with DEADLINE_EXCEEDED or CANCELLED, or the connection breaks, the message may or
     * may not have been sent; where the sidecar itself knows that it can't tell, metadata `outcome` is
     * "unknown". The sidecar never sends anything twice on its own.
     * </pre>
     */
    public org.spreadsidecar.v1.MulticastResponse multicast(org.spreadsidecar.v1.MulticastRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getMulticastMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends many messages in order. The first frame names the mailbox, and has to come within a minute (unless the
     * sidecar is configured otherwise), else DEADLINE_EXCEEDED, reason REQUEST_TIMEOUT; the answers count, cumulatively, the messages that are decided. A message that is
     * refused is answered with its index and does not end the stream. At most the messages after the last
     * answer are in doubt when the stream breaks.
     * When the mailbox ends, so does the stream, also one that is idle, with the status of a send that comes
     * then; metadata `outcome` "not-sent" says that nothing after the last answer was sent.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<org.spreadsidecar.v1.MulticastStreamRequest, org.spreadsidecar.v1.MulticastStreamResponse>
        multicastStream() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getMulticastStreamMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Gives the mailbox's events, from where the caller says. One stream at a time: a second one takes over,
     * and the first ends with ABORTED, reason RECEIVER_REPLACED. The queue belongs to the mailbox, not to
     * the stream: a stream that breaks loses nothing that is retained.
     * The stream ends with OK after the last event when Disconnect was called; else with the status that
     * tells why: UNAVAILABLE with reason CONNECTION_CLOSED (the daemon is gone, or cut this mailbox; with
     * ReconnectPolicy the stream goes on, and ends so only when the sidecar gave up) or
     * DRAINING, RESOURCE_EXHAUSTED with reason QUEUE_OVERFLOW or SLOW_CONSUMER, ABORTED with reason
     * LEASE_EXPIRED. Metadata `last_sequence` is the last event's sequence. Every retained event comes before the
     * end; but after QUEUE_OVERFLOW and SLOW_CONSUMER a Receive that takes nothing for the length of the lease is
     * no longer waited for.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, org.spreadsidecar.v1.ReceiveResponse>
        receive(org.spreadsidecar.v1.ReceiveRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getReceiveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lets the mailbox forget events. Only needed with EXPLICIT acknowledgement; with AUTO it is allowed
     * and shortens the replay window.
     * </pre>
     */
    public org.spreadsidecar.v1.AcknowledgeResponse acknowledge(org.spreadsidecar.v1.AcknowledgeRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getAcknowledgeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Counts what waits (SP_poll), without taking it.
     * </pre>
     */
    public org.spreadsidecar.v1.PollResponse poll(org.spreadsidecar.v1.PollRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPollMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * State and counters of one mailbox.
     * </pre>
     */
    public org.spreadsidecar.v1.GetMailboxResponse getMailbox(org.spreadsidecar.v1.GetMailboxRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetMailboxMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The current view of a group that the mailbox is in, without waiting for a change.
     * </pre>
     */
    public org.spreadsidecar.v1.GetViewResponse getView(org.spreadsidecar.v1.GetViewRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetViewMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * State and counters of all mailboxes. For operators: needs the admin credential (`authorization:
     * Bearer &lt;token&gt;`), else PERMISSION_DENIED, reason ADMIN_ONLY.
     * </pre>
     */
    public org.spreadsidecar.v1.ListMailboxesResponse listMailboxes(org.spreadsidecar.v1.ListMailboxesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListMailboxesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
     * </pre>
     */
    public org.spreadsidecar.v1.GetVersionResponse getVersion(org.spreadsidecar.v1.GetVersionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetVersionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service MailboxService.
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public static final class MailboxServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<MailboxServiceBlockingStub> {
    private MailboxServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected MailboxServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new MailboxServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Opens a mailbox (SP_connect). A failure opens none.
     * </pre>
     */
    public org.spreadsidecar.v1.ConnectResponse connect(org.spreadsidecar.v1.ConnectRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getConnectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a mailbox (SP_disconnect, SP_kill). Ending one that is not there is no error. A Receive of the mailbox first gets the
     * queued events. If the receiver stalls, the sidecar waits for at most one lease period (ConnectRequest.lease), then
     * disconnects the receiver. Until then, the mailbox counts in the bounds of mailboxes and of queued bytes. The call
     * itself does not wait for the receiver.
     * </pre>
     */
    public org.spreadsidecar.v1.DisconnectResponse disconnect(org.spreadsidecar.v1.DisconnectRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDisconnectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Joins a group (SP_join). Joining a group that the mailbox is in changes nothing.
     * </pre>
     */
    public org.spreadsidecar.v1.JoinResponse join(org.spreadsidecar.v1.JoinRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getJoinMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves a group (SP_leave). Leaving a group that the mailbox is not in changes nothing.
     * </pre>
     */
    public org.spreadsidecar.v1.LeaveResponse leave(org.spreadsidecar.v1.LeaveRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getLeaveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends one message (SP_multicast, SP_multigroup_multicast). Answered when the daemon's connection took
     * the bytes. The messages, joins and leaves of one mailbox reach the daemon in the order in which their
     * calls arrived, over unary calls and streams together.
     * When the call ends with DEADLINE_EXCEEDED or CANCELLED, or the connection breaks, the message may or
     * may not have been sent; where the sidecar itself knows that it can't tell, metadata `outcome` is
     * "unknown". The sidecar never sends anything twice on its own.
     * </pre>
     */
    public org.spreadsidecar.v1.MulticastResponse multicast(org.spreadsidecar.v1.MulticastRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getMulticastMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Gives the mailbox's events, from where the caller says. One stream at a time: a second one takes over,
     * and the first ends with ABORTED, reason RECEIVER_REPLACED. The queue belongs to the mailbox, not to
     * the stream: a stream that breaks loses nothing that is retained.
     * The stream ends with OK after the last event when Disconnect was called; else with the status that
     * tells why: UNAVAILABLE with reason CONNECTION_CLOSED (the daemon is gone, or cut this mailbox; with
     * ReconnectPolicy the stream goes on, and ends so only when the sidecar gave up) or
     * DRAINING, RESOURCE_EXHAUSTED with reason QUEUE_OVERFLOW or SLOW_CONSUMER, ABORTED with reason
     * LEASE_EXPIRED. Metadata `last_sequence` is the last event's sequence. Every retained event comes before the
     * end; but after QUEUE_OVERFLOW and SLOW_CONSUMER a Receive that takes nothing for the length of the lease is
     * no longer waited for.
     * </pre>
     */
    public java.util.Iterator<org.spreadsidecar.v1.ReceiveResponse> receive(
        org.spreadsidecar.v1.ReceiveRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getReceiveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lets the mailbox forget events. Only needed with EXPLICIT acknowledgement; with AUTO it is allowed
     * and shortens the replay window.
     * </pre>
     */
    public org.spreadsidecar.v1.AcknowledgeResponse acknowledge(org.spreadsidecar.v1.AcknowledgeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getAcknowledgeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Counts what waits (SP_poll), without taking it.
     * </pre>
     */
    public org.spreadsidecar.v1.PollResponse poll(org.spreadsidecar.v1.PollRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPollMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * State and counters of one mailbox.
     * </pre>
     */
    public org.spreadsidecar.v1.GetMailboxResponse getMailbox(org.spreadsidecar.v1.GetMailboxRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMailboxMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The current view of a group that the mailbox is in, without waiting for a change.
     * </pre>
     */
    public org.spreadsidecar.v1.GetViewResponse getView(org.spreadsidecar.v1.GetViewRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetViewMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * State and counters of all mailboxes. For operators: needs the admin credential (`authorization:
     * Bearer &lt;token&gt;`), else PERMISSION_DENIED, reason ADMIN_ONLY.
     * </pre>
     */
    public org.spreadsidecar.v1.ListMailboxesResponse listMailboxes(org.spreadsidecar.v1.ListMailboxesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMailboxesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
     * </pre>
     */
    public org.spreadsidecar.v1.GetVersionResponse getVersion(org.spreadsidecar.v1.GetVersionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetVersionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service MailboxService.
   * <pre>
   * Mailboxes of Spread.
   * </pre>
   */
  public static final class MailboxServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<MailboxServiceFutureStub> {
    private MailboxServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected MailboxServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new MailboxServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Opens a mailbox (SP_connect). A failure opens none.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.ConnectResponse> connect(
        org.spreadsidecar.v1.ConnectRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getConnectMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Ends a mailbox (SP_disconnect, SP_kill). Ending one that is not there is no error. A Receive of the mailbox first gets the
     * queued events. If the receiver stalls, the sidecar waits for at most one lease period (ConnectRequest.lease), then
     * disconnects the receiver. Until then, the mailbox counts in the bounds of mailboxes and of queued bytes. The call
     * itself does not wait for the receiver.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.DisconnectResponse> disconnect(
        org.spreadsidecar.v1.DisconnectRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDisconnectMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Joins a group (SP_join). Joining a group that the mailbox is in changes nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.JoinResponse> join(
        org.spreadsidecar.v1.JoinRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getJoinMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Leaves a group (SP_leave). Leaving a group that the mailbox is not in changes nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.LeaveResponse> leave(
        org.spreadsidecar.v1.LeaveRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getLeaveMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Sends one message (SP_multicast, SP_multigroup_multicast). Answered when the daemon's connection took
     * the bytes. The messages, joins and leaves of one mailbox reach the daemon in the order in which their
     * calls arrived, over unary calls and streams together.
     * When the call ends with DEADLINE_EXCEEDED or CANCELLED, or the connection breaks, the message may or
     * may not have been sent; where the sidecar itself knows that it can't tell, metadata `outcome` is
     * "unknown". The sidecar never sends anything twice on its own.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.MulticastResponse> multicast(
        org.spreadsidecar.v1.MulticastRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getMulticastMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lets the mailbox forget events. Only needed with EXPLICIT acknowledgement; with AUTO it is allowed
     * and shortens the replay window.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.AcknowledgeResponse> acknowledge(
        org.spreadsidecar.v1.AcknowledgeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getAcknowledgeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Counts what waits (SP_poll), without taking it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.PollResponse> poll(
        org.spreadsidecar.v1.PollRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPollMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * State and counters of one mailbox.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.GetMailboxResponse> getMailbox(
        org.spreadsidecar.v1.GetMailboxRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMailboxMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * The current view of a group that the mailbox is in, without waiting for a change.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.GetViewResponse> getView(
        org.spreadsidecar.v1.GetViewRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetViewMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * State and counters of all mailboxes. For operators: needs the admin credential (`authorization:
     * Bearer &lt;token&gt;`), else PERMISSION_DENIED, reason ADMIN_ONLY.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.ListMailboxesResponse> listMailboxes(
        org.spreadsidecar.v1.ListMailboxesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMailboxesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.spreadsidecar.v1.GetVersionResponse> getVersion(
        org.spreadsidecar.v1.GetVersionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetVersionMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CONNECT = 0;
  private static final int METHODID_DISCONNECT = 1;
  private static final int METHODID_JOIN = 2;
  private static final int METHODID_LEAVE = 3;
  private static final int METHODID_MULTICAST = 4;
  private static final int METHODID_RECEIVE = 5;
  private static final int METHODID_ACKNOWLEDGE = 6;
  private static final int METHODID_POLL = 7;
  private static final int METHODID_GET_MAILBOX = 8;
  private static final int METHODID_GET_VIEW = 9;
  private static final int METHODID_LIST_MAILBOXES = 10;
  private static final int METHODID_GET_VERSION = 11;
  private static final int METHODID_MULTICAST_STREAM = 12;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_CONNECT:
          serviceImpl.connect((org.spreadsidecar.v1.ConnectRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ConnectResponse>) responseObserver);
          break;
        case METHODID_DISCONNECT:
          serviceImpl.disconnect((org.spreadsidecar.v1.DisconnectRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.DisconnectResponse>) responseObserver);
          break;
        case METHODID_JOIN:
          serviceImpl.join((org.spreadsidecar.v1.JoinRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.JoinResponse>) responseObserver);
          break;
        case METHODID_LEAVE:
          serviceImpl.leave((org.spreadsidecar.v1.LeaveRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.LeaveResponse>) responseObserver);
          break;
        case METHODID_MULTICAST:
          serviceImpl.multicast((org.spreadsidecar.v1.MulticastRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastResponse>) responseObserver);
          break;
        case METHODID_RECEIVE:
          serviceImpl.receive((org.spreadsidecar.v1.ReceiveRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ReceiveResponse>) responseObserver);
          break;
        case METHODID_ACKNOWLEDGE:
          serviceImpl.acknowledge((org.spreadsidecar.v1.AcknowledgeRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.AcknowledgeResponse>) responseObserver);
          break;
        case METHODID_POLL:
          serviceImpl.poll((org.spreadsidecar.v1.PollRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.PollResponse>) responseObserver);
          break;
        case METHODID_GET_MAILBOX:
          serviceImpl.getMailbox((org.spreadsidecar.v1.GetMailboxRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetMailboxResponse>) responseObserver);
          break;
        case METHODID_GET_VIEW:
          serviceImpl.getView((org.spreadsidecar.v1.GetViewRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetViewResponse>) responseObserver);
          break;
        case METHODID_LIST_MAILBOXES:
          serviceImpl.listMailboxes((org.spreadsidecar.v1.ListMailboxesRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.ListMailboxesResponse>) responseObserver);
          break;
        case METHODID_GET_VERSION:
          serviceImpl.getVersion((org.spreadsidecar.v1.GetVersionRequest) request,
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.GetVersionResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_MULTICAST_STREAM:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.multicastStream(
              (io.grpc.stub.StreamObserver<org.spreadsidecar.v1.MulticastStreamResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getConnectMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.ConnectRequest,
              org.spreadsidecar.v1.ConnectResponse>(
                service, METHODID_CONNECT)))
        .addMethod(
          getDisconnectMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.DisconnectRequest,
              org.spreadsidecar.v1.DisconnectResponse>(
                service, METHODID_DISCONNECT)))
        .addMethod(
          getJoinMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.JoinRequest,
              org.spreadsidecar.v1.JoinResponse>(
                service, METHODID_JOIN)))
        .addMethod(
          getLeaveMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.LeaveRequest,
              org.spreadsidecar.v1.LeaveResponse>(
                service, METHODID_LEAVE)))
        .addMethod(
          getMulticastMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.MulticastRequest,
              org.spreadsidecar.v1.MulticastResponse>(
                service, METHODID_MULTICAST)))
        .addMethod(
          getMulticastStreamMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              org.spreadsidecar.v1.MulticastStreamRequest,
              org.spreadsidecar.v1.MulticastStreamResponse>(
                service, METHODID_MULTICAST_STREAM)))
        .addMethod(
          getReceiveMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              org.spreadsidecar.v1.ReceiveRequest,
              org.spreadsidecar.v1.ReceiveResponse>(
                service, METHODID_RECEIVE)))
        .addMethod(
          getAcknowledgeMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.AcknowledgeRequest,
              org.spreadsidecar.v1.AcknowledgeResponse>(
                service, METHODID_ACKNOWLEDGE)))
        .addMethod(
          getPollMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.PollRequest,
              org.spreadsidecar.v1.PollResponse>(
                service, METHODID_POLL)))
        .addMethod(
          getGetMailboxMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.GetMailboxRequest,
              org.spreadsidecar.v1.GetMailboxResponse>(
                service, METHODID_GET_MAILBOX)))
        .addMethod(
          getGetViewMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.GetViewRequest,
              org.spreadsidecar.v1.GetViewResponse>(
                service, METHODID_GET_VIEW)))
        .addMethod(
          getListMailboxesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.ListMailboxesRequest,
              org.spreadsidecar.v1.ListMailboxesResponse>(
                service, METHODID_LIST_MAILBOXES)))
        .addMethod(
          getGetVersionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.spreadsidecar.v1.GetVersionRequest,
              org.spreadsidecar.v1.GetVersionResponse>(
                service, METHODID_GET_VERSION)))
        .build();
  }

  private static abstract class MailboxServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    MailboxServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return org.spreadsidecar.v1.MailboxServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("MailboxService");
    }
  }

  private static final class MailboxServiceFileDescriptorSupplier
      extends MailboxServiceBaseDescriptorSupplier {
    MailboxServiceFileDescriptorSupplier() {}
  }

  private static final class MailboxServiceMethodDescriptorSupplier
      extends MailboxServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    MailboxServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (MailboxServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new MailboxServiceFileDescriptorSupplier())
              .addMethod(getConnectMethod())
              .addMethod(getDisconnectMethod())
              .addMethod(getJoinMethod())
              .addMethod(getLeaveMethod())
              .addMethod(getMulticastMethod())
              .addMethod(getMulticastStreamMethod())
              .addMethod(getReceiveMethod())
              .addMethod(getAcknowledgeMethod())
              .addMethod(getPollMethod())
              .addMethod(getGetMailboxMethod())
              .addMethod(getGetViewMethod())
              .addMethod(getListMailboxesMethod())
              .addMethod(getGetVersionMethod())
              .build();
        }
      }
    }
    return result;
  }
}
