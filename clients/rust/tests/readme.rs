//! The README's code besides the examples, as code that runs.

mod common;

use std::time::Duration;

use common::{group, send, target};
use spread_sidecar::*;

#[tokio::test]
async fn several_mailboxes() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let sidecar = Sidecar::new(target)?;
    sidecar.with_timeout(Duration::from_secs(10)).wait_for_daemon().await?;
    let named = |name| MailboxOptions::named(name).on_name_conflict(NameConflict::Suffix);
    let alice = sidecar.connect(named("alice").lease(Duration::from_secs(60))).await?;
    let bob = sidecar.connect(named("bob")).await?;
    assert_ne!(alice.private_group(), bob.private_group());
    match sidecar.connect(MailboxOptions::named("alice")).await {
        Err(error) if error.code() == Some(Code::RejectNotUnique) => {
            println!("alice is taken: {}", error.message());
        }
        other => panic!("{other:?}"),
    }
    sidecar.close().await
}

#[tokio::test]
async fn streams_and_time() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let mailbox = connect(target, MailboxOptions::new().membership(false)).await?;
    let group = group("stream");
    mailbox.join(&group).await?;
    send(&mailbox, &group, "hello").await;
    let mut events = mailbox.events();
    while let Some(event) = events.next().await {
        let event = event?;
        println!("{}", event.sequence());
        if let Event::Regular(_) = event {
            break;
        }
    }
    match tokio::time::timeout(Duration::from_millis(100), mailbox.receive()).await {
        Ok(event) => println!("{:?}", event?),
        Err(_) => println!("nothing has come in time; nothing is lost"),
    }
    let quick = mailbox.with_timeout(Duration::from_secs(2));
    quick.join_and_await_view("greetings").await.ok();
    mailbox.disconnect().await?;
    Ok(())
}

#[tokio::test]
async fn security() -> Result<(), SpreadError> {
    let (ca, cert, key) = ("-----BEGIN CERTIFICATE-----", "", "");
    let made = Sidecar::builder("sidecar.example:4813")
        .tls(Tls::new().ca(ca).identity(cert, key))
        // Called before each call. Use token(…) for a constant token.
        .token_source(|| async { Ok(tokio::fs::read_to_string("/run/secrets/token").await?) })
        .build();
    assert_eq!(made.unwrap_err().metadata()["field"], "tls");
    Ok(())
}

#[tokio::test]
async fn taking_up_again() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let sidecar = Sidecar::new(target)?;
    let mailbox = sidecar.connect(MailboxOptions::new()).await?;
    let resumption = mailbox.detach().await; // or remember mailbox.id() and event.sequence()
    // ... within the lease, in any process:
    let options = AttachOptions::new().after_sequence(resumption.after_sequence);
    let again = sidecar.attach(&resumption.mailbox_id, options).await?;
    again.disconnect().await?;
    sidecar.close().await
}

#[tokio::test]
async fn sending_fast() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let mailbox = connect(target, MailboxOptions::new()).await?;
    let lines = ["one", "two", "three"];
    let sender = mailbox.sender(SenderOptions::new()).await?;
    for line in lines {
        sender.send(Service::FIFO_MESS, "greetings", line, 0).await?; // waits only at the limit of messages in flight
    }
    let progress = sender.close().await?; // waits until each message is accepted or rejected
    println!("{} {}", progress.sent, progress.accepted);
    assert_eq!(progress.accepted, 3);
    let sender = mailbox.sender(SenderOptions::new()).await?;
    sender.send(Service::FIFO_MESS, "not a group", "text", 0).await?;
    let refused = sender.flush().await.unwrap_err();
    assert_eq!((refused.kind(), refused.refusals()[0].index), (ErrorKind::Refused, 1));
    mailbox.disconnect().await?;
    Ok(())
}

#[tokio::test]
async fn message_headers() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let mailbox = connect(target, MailboxOptions::new().membership(false)).await?;
    let group = group("headers");
    mailbox.join(&group).await?;
    let order = OutgoingMessage::new(Service::AGREED_MESS, [&group], r#"{"n":1}"#)
        .header(header::CONTENT_TYPE, "application/json");
    mailbox.multicast_message(order.clone()).await?;
    if let Event::Regular(message) = mailbox.receive().await? {
        println!("{:?} {}", message.headers.get(header::CONTENT_TYPE), message.text());
    }
    let sender = mailbox.sender(SenderOptions::new()).await?;
    sender.send_message(&order).await?;
    sender.close().await?;
    let Event::Regular(message) = mailbox.receive().await? else { panic!("a message was expected") };
    assert_eq!(message.headers, order.headers);
    mailbox.disconnect().await?;
    Ok(())
}

#[tokio::test]
async fn notices() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let receiving = ReceiveOptions::new().on_notice(|notice| match notice {
        Notice::Detached(error) => eprintln!("cut off: {error}"),
        Notice::SlowConsumer(slow) => eprintln!("{} events wait", slow.queued_events),
        _ => {}
    });
    let mailbox = connect(target, MailboxOptions::new().receiving(receiving)).await?;
    mailbox.disconnect().await?;
    Ok(())
}

#[tokio::test]
async fn requests_and_replies() -> Result<(), SpreadError> {
    let Some(target) = target() else { return Ok(()) };
    let sidecar = Sidecar::new(target)?;
    let server = sidecar.open_request_reply(RequestReplyOptions::new()).await?;
    let price = async |request: IncomingRequest| format!("{} costs 5 EUR", request.text());
    server.serve("prices", price, ServeOptions::new()).await?;

    let client = sidecar.open_request_reply(RequestReplyOptions::new()).await?;
    let options = RequestOptions::new().all_replies().timeout(Duration::from_secs(1));
    let result = client.request("prices", "tea", options).await?;
    for reply in &result.replies {
        println!("{}: {}", reply.sender, reply.text());
    }
    assert_eq!(result.replies[0].text(), "tea costs 5 EUR");
    assert!(result.complete);
    sidecar.close().await
}
