//! Benchmarks of one process that sends to itself, with the client or only with the generated
//! stubs.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spread_sidecar::{MailboxOptions, SenderOptions, Service, connect};
use tokio::sync::Notify;

use crate::args::{is, number, text, times};
use crate::bench_raw::RawPeer;
use crate::plain::Failure;

/// Maximum number of messages in flight to the receiver.
pub const MAX_MESSAGES: usize = 20_000;
pub const MAX_BYTES: usize = 16 << 20;
/// The time at the start that is not measured.
const WARM_UP: Duration = Duration::from_millis(500);
/// Maximum number of events of one receive.
const RECEIVE_AT_ONCE: usize = 1000;

/// A mailbox in its own group.
pub enum Peer {
    Client { mailbox: spread_sidecar::Mailbox, sender: spread_sidecar::Sender, group: String },
    Raw(Box<RawPeer>),
}

impl Peer {
    async fn new(args: &Value) -> Result<Self, Failure> {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let group = format!("bench-{}-{:x}", std::process::id(), now.subsec_nanos());
        let target = text(args, "target");
        if is(args, "raw") {
            return Ok(Self::Raw(Box::new(RawPeer::new(target, group).await?)));
        }
        let mailbox = connect(target, MailboxOptions::new().membership(false)).await?;
        mailbox.join(&group).await?;
        let options = SenderOptions::new().max_in_flight_messages(MAX_MESSAGES).max_in_flight_bytes(MAX_BYTES);
        let sender = mailbox.sender(options).await?;
        Ok(Self::Client { mailbox, sender, group })
    }

    async fn send(&self, payload: &[u8], count: usize) -> Result<(), Failure> {
        match self {
            Self::Client { sender, group, .. } => {
                for _ in 0..count {
                    sender.send(Service::FIFO_MESS, group, payload, 0).await?;
                }
                Ok(())
            }
            Self::Raw(raw) => raw.send(payload, count).await,
        }
    }

    async fn multicast(&self, payload: bytes::Bytes) -> Result<(), Failure> {
        match self {
            Self::Client { mailbox, group, .. } => {
                mailbox.multicast(Service::FIFO_MESS, group, payload, 0).await?;
                Ok(())
            }
            Self::Raw(raw) => raw.multicast(payload).await,
        }
    }

    /// Waits for at least one message and returns the number of messages.
    async fn receive(&self) -> Result<usize, Failure> {
        match self {
            Self::Client { mailbox, .. } => Ok(mailbox.receive_many(RECEIVE_AT_ONCE).await?.len()),
            Self::Raw(raw) => raw.receive().await,
        }
    }

    async fn close(&self) -> Result<(), Failure> {
        match self {
            Self::Client { mailbox, sender, .. } => {
                sender.close().await?;
                mailbox.disconnect().await?;
                Ok(())
            }
            Self::Raw(raw) => raw.close().await,
        }
    }
}

/// Runs a benchmark in its own runtime, with one thread per core as in an application.
pub async fn in_own_runtime<F>(args: &Value, bench: impl FnOnce(Value) -> F + Send + 'static) -> Result<Value, Failure>
where
    F: Future<Output = Result<Value, Failure>> + Send + 'static,
{
    let args = args.clone();
    let (tell, result) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new();
        let result = runtime.map_err(|error| Failure::Driver(error.to_string()));
        // The benchmark itself also runs on a worker thread.
        tell.send(result.and_then(|runtime| {
            let running = runtime.spawn(bench(args));
            runtime.block_on(running).unwrap_or_else(|error| Err(Failure::Driver(error.to_string())))
        }))
        .ok();
    });
    result.await.unwrap_or_else(|error| Err(Failure::Driver(error.to_string())))
}

/// The messages in flight, and the tasks that wait for space.
#[derive(Default)]
struct Window {
    sent: AtomicU64,
    received: AtomicU64,
    roomy: Notify,
}

impl Window {
    fn on_way(&self) -> u64 {
        self.sent.load(Ordering::Acquire) - self.received.load(Ordering::Acquire)
    }

    /// Waits until half of the window is free, and takes the free part.
    async fn take(&self, size: u64) -> u64 {
        while self.on_way() > size / 2 {
            self.roomy.notified().await;
        }
        let room = size - self.on_way();
        self.sent.fetch_add(room, Ordering::AcqRel);
        room
    }

    fn give(&self, count: usize, size: u64) {
        self.received.fetch_add(count as u64, Ordering::AcqRel);
        if self.on_way() <= size / 2 {
            self.roomy.notify_one();
        }
    }
}

pub async fn throughput(args: Value) -> Result<Value, Failure> {
    let peer = Arc::new(Peer::new(&args).await?);
    let payload = vec![b'x'; number(&args, "payloadBytes").unwrap_or(0) as usize];
    let wanted = Duration::from_secs_f64(args["seconds"].as_f64().unwrap_or(1.0));
    let size = (MAX_BYTES / payload.len().max(1)).clamp(1, MAX_MESSAGES) as u64;
    let window = Arc::new(Window::default());
    let stop = tokio_util::sync::CancellationToken::new();
    let sending = tokio::spawn({
        let (peer, window, stop) = (peer.clone(), window.clone(), stop.clone());
        async move {
            // Stops only between two rounds, so that the window gets back everything that was
            // taken.
            while let Some(room) = stop.run_until_cancelled(window.take(size)).await {
                peer.send(&payload, room as usize).await?;
            }
            Ok::<(), Failure>(())
        }
    });
    let begun = Instant::now();
    let mut received = 0;
    let mut counted: Option<(Instant, u64)> = None;
    loop {
        let count = peer.receive().await?;
        received += count as u64;
        window.give(count, size);
        let Some((since, from)) = counted else {
            if begun.elapsed() >= WARM_UP {
                counted = Some((Instant::now(), received));
            }
            continue;
        };
        let elapsed = since.elapsed();
        if elapsed < wanted {
            continue;
        }
        let messages = received - from;
        stop.cancel();
        sending.await.map_err(|error| Failure::Driver(error.to_string()))??;
        while received < window.sent.load(Ordering::Acquire) {
            received += peer.receive().await? as u64;
        }
        peer.close().await?;
        return Ok(json!({ "messages": messages, "seconds": elapsed.as_secs_f64() }));
    }
}

pub async fn round_trip(args: Value) -> Result<Value, Failure> {
    let peer = Peer::new(&args).await?;
    let payload = bytes::Bytes::from(vec![b'x'; number(&args, "payloadBytes").unwrap_or(0) as usize]);
    let count = times(&args, "count");
    let not_counted = count.div_ceil(10);
    let mut latencies = Vec::with_capacity(count as usize);
    for index in 0..not_counted + count {
        let begun = Instant::now();
        let (answered, received) = tokio::join!(peer.multicast(payload.clone()), async {
            let received = peer.receive().await;
            received.map(|_| begun.elapsed())
        });
        answered?;
        let latency = received?;
        if index >= not_counted {
            latencies.push(latency.as_nanos() as f64 / 1000.0);
        }
    }
    peer.close().await?;
    Ok(json!({ "latenciesUs": latencies }))
}
