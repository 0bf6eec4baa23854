//! Sends each line of standard input to a group, and prints the messages of the other members: chat
//! [target [name]]

use spread_sidecar::{
    DisconnectOptions, Event, Mailbox, MailboxOptions, MembershipCause, NameConflict, Service, SpreadError, connect,
};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const GROUP: &str = "chat";

async fn show(mailbox: Mailbox) -> Result<(), SpreadError> {
    let mut events = mailbox.events();
    while let Some(event) = events.next().await {
        match event? {
            Event::Regular(message) => println!("{}: {}", message.sender, message.text()),
            Event::View(view) => match view.cause {
                MembershipCause::Join => println!("* {} came", view.changed_members[0]),
                MembershipCause::Leave | MembershipCause::Disconnect => println!("* {} went", view.changed_members[0]),
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or_else(|| spread_sidecar::DEFAULT_TARGET.to_owned());
    let name = arguments.next().unwrap_or_else(|| "guest".to_owned());
    let options = MailboxOptions::named(name).on_name_conflict(NameConflict::Suffix);
    let mailbox = connect(target, options).await?;
    let showing = tokio::spawn(show(mailbox.clone()));
    mailbox.join_and_await_view(GROUP).await?;
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        mailbox.multicast(Service::AGREED_MESS | Service::SELF_DISCARD, GROUP, line, 0).await?;
    }
    mailbox.disconnect_with(DisconnectOptions::new().leave_groups_first(true)).await?;
    showing.await??;
    Ok(())
}
