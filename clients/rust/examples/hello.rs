//! Joins a group, sends it a message and receives it: hello [target]

use spread_sidecar::{Event, MailboxOptions, NameConflict, Service, SpreadError, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SpreadError> {
    let target = std::env::args().nth(1).unwrap_or_else(|| spread_sidecar::DEFAULT_TARGET.to_owned());

    let options = MailboxOptions::named("hello").on_name_conflict(NameConflict::Suffix);
    let mailbox = connect(target, options).await?;
    mailbox.join_and_await_view("greetings").await?;
    mailbox.multicast(Service::AGREED_MESS, "greetings", "hello, group", 7).await?;

    loop {
        let Event::Regular(message) = mailbox.receive().await? else { continue };
        if message.sender == mailbox.private_group() {
            let (sender, groups) = (&message.sender, message.groups.join(", "));
            println!("{sender} to {groups}: {} (type {})", message.text(), message.message_type);
            break;
        }
    }
    mailbox.disconnect().await?;
    Ok(())
}
