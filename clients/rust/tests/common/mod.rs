//! Shared helpers of tests with a real sidecar. `SPREAD_SIDECAR_TARGET` names the sidecar; `npm run
//! test:all` sets it.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use spread_sidecar::{Event, Mailbox, MailboxOptions, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The sidecar's target. Without one, the test prints a message and is skipped.
pub fn target() -> Option<String> {
    let target = std::env::var("SPREAD_SIDECAR_TARGET").ok();
    if target.is_none() {
        eprintln!("skipped: SPREAD_SIDECAR_TARGET names no sidecar");
    }
    target
}

/// A mailbox without membership messages.
pub fn quiet() -> MailboxOptions {
    MailboxOptions::new().membership(false)
}

/// A unique group name.
pub fn group(of: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{of}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub async fn send(mailbox: &Mailbox, group: &str, text: &str) {
    mailbox.multicast(Service::FIFO_MESS, group, text.to_owned(), 0).await.unwrap();
}

pub async fn receive_text(mailbox: &Mailbox) -> String {
    let event = tokio::time::timeout(Duration::from_secs(10), mailbox.receive()).await.expect("in time");
    match event.unwrap() {
        Event::Regular(message) => message.text(),
        other => panic!("a message was expected, not {other:?}"),
    }
}

/// Waits for a condition.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 10 s: {what}");
}

/// A proxy between a client and a sidecar, which can break connections.
pub struct Proxy {
    pub target: String,
    /// Number of accepted connections.
    pub accepted: Arc<AtomicUsize>,
    cut: std::sync::Mutex<CancellationToken>,
    refusing: Arc<std::sync::atomic::AtomicBool>,
}

impl Proxy {
    pub async fn start(to: String) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Arc::new(Self {
            target: listener.local_addr().unwrap().to_string(),
            accepted: Arc::default(),
            cut: std::sync::Mutex::default(),
            refusing: Arc::default(),
        });
        let own = proxy.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                own.accepted.fetch_add(1, Ordering::SeqCst);
                if own.refusing.load(Ordering::SeqCst) {
                    continue;
                }
                let (cut, to) = (own.cut.lock().unwrap().clone(), to.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(to).await.unwrap();
                    cut.run_until_cancelled(tokio::io::copy_bidirectional(&mut near, &mut far)).await;
                });
            }
        });
        proxy
    }

    /// Closes the connections. With `refusing`, also rejects new ones.
    pub fn cut(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::SeqCst);
        std::mem::take(&mut *self.cut.lock().unwrap()).cancel();
    }
}
