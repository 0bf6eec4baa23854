//! Tests of mailboxes with a real sidecar, for features and guarantees of only this client.

mod common;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use spread_sidecar::*;

#[tokio::test]
async fn receiving_can_be_given_up_without_loss() {
    let Some(target) = target() else { return };
    let mailbox = connect(target, quiet()).await.unwrap();
    let group = group("given-up");
    mailbox.join(&group).await.unwrap();
    let sending = tokio::spawn({
        let (mailbox, group) = (mailbox.clone(), group.clone());
        async move {
            for number in 0..300 {
                send(&mailbox, &group, &number.to_string()).await;
            }
        }
    });
    let (mut received, mut given_up) = (0, 0);
    while received < 300 {
        tokio::select! {
            biased;
            event = mailbox.receive() => {
                let Event::Regular(message) = event.unwrap() else { continue };
                assert_eq!(message.text(), received.to_string());
                received += 1;
            }
            () = tokio::time::sleep(Duration::from_micros(100)) => given_up += 1,
        }
    }
    assert!(given_up > 0);
    sending.await.unwrap();
    mailbox.disconnect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_tasks_may_receive() {
    let Some(target) = target() else { return };
    let mailbox = connect(target, quiet()).await.unwrap();
    let group = group("several");
    mailbox.join(&group).await.unwrap();
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (mailbox, seen) = (mailbox.clone(), seen.clone());
            tokio::spawn(async move {
                while let Ok(event) = mailbox.receive().await {
                    seen.lock().unwrap().push(event.sequence());
                }
            })
        })
        .collect();
    for number in 0..200 {
        send(&mailbox, &group, &number.to_string()).await;
    }
    until("all have come", || seen.lock().unwrap().len() == 200).await;
    mailbox.disconnect().await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let mut sequences = seen.lock().unwrap().clone();
    sequences.sort_unstable();
    assert!(sequences.into_iter().eq(1..=200));
}

#[tokio::test]
async fn nothing_is_left_after_closing() {
    let Some(target) = target() else { return };
    let descriptors = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or(0);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (tasks_before, _) = (tasks(), descriptors());
    for round in 0..3 {
        let sidecar = Sidecar::new(target.clone()).unwrap();
        let options = quiet().acknowledgement(AcknowledgementMode::Explicit);
        let mailbox = sidecar.connect(options).await.unwrap();
        let group = group("left");
        mailbox.join(&group).await.unwrap();
        let sender = mailbox.sender(SenderOptions::new()).await.unwrap();
        sender.send(Service::FIFO_MESS, &group, "text", 0).await.unwrap();
        assert_eq!(receive_text(&mailbox).await, "text");
        if round == 0 {
            sender.close().await.unwrap();
            mailbox.disconnect().await.unwrap();
        }
        sidecar.close().await.unwrap();
        assert_eq!(tasks(), tasks_before, "round {round}");
        let error = sidecar.version().await.unwrap_err();
        assert_eq!((error.status(), error.outcome()), (StatusCode::Cancelled, Some(Outcome::NotSent)));
    }
}

#[tokio::test]
async fn a_mailbox_that_is_dropped_ends() {
    let Some(target) = target() else { return };
    let sidecar = Sidecar::new(target).unwrap();
    let watcher = sidecar.connect(MailboxOptions::new()).await.unwrap();
    let group = group("dropped");
    watcher.join_and_await_view(&group).await.unwrap();
    let dropped = sidecar.connect(quiet()).await.unwrap();
    dropped.join(&group).await.unwrap();
    let (name, mut causes) = (dropped.private_group(), Vec::new());
    let other = dropped.clone();
    drop(dropped);
    other.poll().await.unwrap();
    drop(other);
    while causes.last() != Some(&MembershipCause::Disconnect) {
        if let Event::View(view) = watcher.receive().await.unwrap() {
            causes.push(view.cause);
            assert!(view.cause == MembershipCause::Join || view.changed_members == [name.clone()]);
        }
    }
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_detached_mailbox_lives_on_when_it_is_dropped() {
    let Some(target) = target() else { return };
    let first = Sidecar::new(target.clone()).unwrap();
    let mailbox = first.connect(quiet()).await.unwrap();
    let group = group("detached");
    mailbox.join(&group).await.unwrap();
    send(&mailbox, &group, "one").await;
    assert_eq!(receive_text(&mailbox).await, "one");
    let resumption = mailbox.detach().await;
    drop(mailbox);
    first.close_keeping_mailboxes().await.unwrap();
    let second = Sidecar::new(target).unwrap();
    let options = AttachOptions::new().after_sequence(resumption.after_sequence);
    let again = second.attach(&resumption.mailbox_id, options).await.unwrap();
    send(&again, &group, "two").await;
    assert_eq!(receive_text(&again).await, "two");
    assert!(again.disconnect().await.unwrap());
    assert!(again.disconnect().await.unwrap(), "a second call gives what the first did");
    second.close().await.unwrap();
}

#[tokio::test]
async fn a_broken_stream_resumes_and_an_unreachable_sidecar_is_retried_with_backoff() {
    let Some(target) = target() else { return };
    if target.starts_with("unix:") {
        return;
    }
    let proxy = Proxy::start(target).await;
    let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let collected = notices.clone();
    let receiving = ReceiveOptions::new().on_notice(move |notice| collected.lock().unwrap().push(notice));
    let mailbox = connect(&proxy.target, quiet().receiving(receiving)).await.unwrap();
    let group = group("broken");
    mailbox.join(&group).await.unwrap();
    let mut sent = 0;
    for round in 0..5 {
        for _ in 0..20 {
            send(&mailbox, &group, &sent.to_string()).await;
            sent += 1;
        }
        for number in sent - 20..sent {
            assert_eq!(receive_text(&mailbox).await, number.to_string());
        }
        proxy.cut(false);
        let detached = |notice: &&Notice| matches!(notice, Notice::Detached(_));
        until("a Detached notice", || notices.lock().unwrap().iter().filter(detached).count() > round).await;
        until("it stands again", || matches!(notices.lock().unwrap().last(), Some(Notice::Attached(_)))).await;
    }
    proxy.cut(true);
    let before = proxy.accepted.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let attempts = proxy.accepted.load(Ordering::SeqCst) - before;
    assert!((1..200).contains(&attempts), "{attempts} connections were tried in 1.5 s");
    proxy.cut(false);
    until("it stands again", || matches!(notices.lock().unwrap().last(), Some(Notice::Attached(_)))).await;
    mailbox.disconnect().await.unwrap();
}

#[tokio::test]
async fn a_full_inbox_stops_reading_and_not_the_calls() {
    let Some(target) = target() else { return };
    let sidecar = Sidecar::new(target).unwrap();
    let receiving = ReceiveOptions::new().max_buffered_events(4);
    let slow = sidecar.connect(quiet().receiving(receiving)).await.unwrap();
    let fast = sidecar.connect(quiet()).await.unwrap();
    let group = group("full");
    slow.join(&group).await.unwrap();
    fast.join(&group).await.unwrap();
    let sender = fast.sender(SenderOptions::new()).await.unwrap();
    let payload = vec![b'x'; 100_000];
    let counting = tokio::spawn({
        let fast = fast.clone();
        async move {
            for _ in 0..200 {
                fast.receive().await.unwrap();
            }
        }
    });
    for number in 0..200 {
        sender.send(Service::FIFO_MESS, &group, &payload, 0).await.unwrap();
        if number == 0 {
            // The first receive call starts to receive.
            slow.receive().await.unwrap();
        }
    }
    sender.close().await.unwrap();
    counting.await.unwrap();
    // 20 MB arrived, and the application did not receive them: the rest is queued in the sidecar.
    let waiting = slow.poll().await.unwrap();
    assert!(waiting.buffered_events < 100, "{waiting:?}");
    assert!(waiting.buffered_events as u64 + waiting.waiting_events > 100, "{waiting:?}");
    for sequence in 2..=200 {
        assert_eq!(slow.receive().await.unwrap().sequence(), sequence);
    }
    sidecar.close().await.unwrap();
}
