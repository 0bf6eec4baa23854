//! Prints how the members of a group join and leave: membership [target]

use std::time::Duration;

use spread_sidecar::{Event, Mailbox, MailboxOptions, NameConflict, Sidecar, SpreadError};

const GROUP: &str = "members";

async fn watch(mailbox: &Mailbox) -> Result<(), SpreadError> {
    loop {
        match mailbox.receive().await? {
            Event::View(view) => {
                let own = view.own_index.map_or("not there".to_owned(), |index| index.to_string());
                let (changed, members) = (view.changed_members.join(", "), view.members.join(", "));
                println!("{} {changed} -> {members} I am {own}", view.cause);
                for set in &view.sets {
                    println!("  together: {} {}", set.members.join(", "), if set.mine { "(with me)" } else { "" });
                }
            }
            Event::Transitional(_) => println!("daemons were lost; a view will follow"),
            Event::SelfLeave(left) => {
                println!("left {}", left.group);
                return Ok(());
            }
            _ => {}
        }
    }
}

fn named(name: &str) -> MailboxOptions {
    MailboxOptions::named(name).on_name_conflict(NameConflict::Suffix)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SpreadError> {
    let target = std::env::args().nth(1).unwrap_or_else(|| spread_sidecar::DEFAULT_TARGET.to_owned());
    let sidecar = Sidecar::new(target)?;
    sidecar.with_timeout(Duration::from_secs(10)).wait_for_daemon().await?;
    let watcher = sidecar.connect(named("watcher")).await?;
    watcher.join_and_await_view(GROUP).await?;
    for leaves in [true, false] {
        let guest = sidecar.connect(named("guest")).await?;
        let view = guest.join_and_await_view(GROUP).await?;
        assert_eq!(view.own_index.map(|index| &view.members[index]), Some(&guest.private_group()));
        if leaves {
            guest.leave_and_await_view(GROUP).await?;
        }
        guest.disconnect().await?;
    }
    let current = watcher.view(GROUP).await?.view;
    println!("now: {}", current.members.join(", "));
    watcher.leave_and_await_view(GROUP).await?;
    watch(&watcher).await?;
    sidecar.close().await
}
