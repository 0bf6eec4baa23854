// Joins a group, sends a message to it and prints the message when it arrives: `dotnet run 127.0.0.1:4813`.
using Google.Protobuf;
using Grpc.Net.Client;
using Spread.Sidecar.V1;

using var channel = GrpcChannel.ForAddress($"http://{args[0]}");
var client = new MailboxService.MailboxServiceClient(channel);
DateTime Deadline() => DateTime.UtcNow.AddSeconds(30);

var mailbox = await client.ConnectAsync(new ConnectRequest(), deadline: Deadline());
await client.JoinAsync(
    new JoinRequest { MailboxId = mailbox.MailboxId, Group = "room", AwaitView = true }, deadline: Deadline());
var message = new MulticastMessage
{
    ServiceType = ServiceType.Agreed,
    Groups = { "room" },
    Payload = ByteString.CopyFromUtf8("hello"),
};
await client.MulticastAsync(
    new MulticastRequest { MailboxId = mailbox.MailboxId, Message = message }, deadline: Deadline());

using var stream = client.Receive(new ReceiveRequest { MailboxId = mailbox.MailboxId });
var received = false;
while (!received && await stream.ResponseStream.MoveNext(CancellationToken.None))
{
    foreach (var one in stream.ResponseStream.Current.Batch?.Events ?? [])
    {
        if (one.RegularMessage is not { } regular) continue;
        Console.WriteLine($"{regular.Sender}: {regular.Payload.ToStringUtf8()}");
        received = true;
    }
}
await client.DisconnectAsync(new DisconnectRequest { MailboxId = mailbox.MailboxId }, deadline: Deadline());
