use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as SyncMutex};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::{Mailbox, OutgoingMessage, Sender, SenderOptions, SpreadError};

/// Number of sent messages after which the entries of decided messages are removed.
const MAX_UNDECIDED: usize = 1000;
/// Maximum time to flush the messages.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Why a message is sent.
#[derive(Clone)]
pub(super) enum Purpose {
    /// A request with this ID.
    Request(String),
    /// The result of a handler, for the request of a requester.
    Reply { to: String, id: String },
    /// An answer without the result of a handler.
    Other,
}

/// Called with each message that was not sent, or whose outcome is unknown. Must not block.
pub(super) type OnFailure = Arc<dyn Fn(Purpose, SpreadError) + Send + Sync>;
type Undecided = Arc<SyncMutex<BTreeMap<u64, Purpose>>>;

/// Sends requests and replies over one stream, whose limits bound the messages in flight. Opens a
/// new stream after a failure.
pub(super) struct Outgoing {
    stream: Mutex<Option<OpenStream>>,
    on_failure: OnFailure,
}

struct OpenStream {
    sender: Sender,
    /// The purposes of messages, by their index. Entries of decided messages are removed later.
    undecided: Undecided,
}

impl Outgoing {
    pub fn new(on_failure: OnFailure) -> Self {
        Self { stream: Mutex::default(), on_failure }
    }

    /// Sends a message. Waits only at the limit of messages in flight.
    pub async fn send(
        &self,
        mailbox: &Mailbox,
        purpose: Purpose,
        message: &OutgoingMessage,
    ) -> Result<(), SpreadError> {
        message.service_type.to_contract()?;
        let mut stream = self.stream.lock().await;
        if let Some(open) = &*stream {
            let Err(error) = open.send(purpose.clone(), message).await else { return Ok(()) };
            // The stream is broken. It did not accept this message.
            if let Some(broken) = stream.take() {
                self.fail_undecided(&broken, &error);
            }
        }
        stream.insert(self.open(mailbox).await?).send(purpose, message).await
    }

    async fn open(&self, mailbox: &Mailbox) -> Result<OpenStream, SpreadError> {
        let undecided = Undecided::default();
        let (purposes, on_failure) = (undecided.clone(), self.on_failure.clone());
        let options = SenderOptions::new().on_refused(move |refusal| {
            let purpose = purposes.lock().unwrap().remove(&refusal.index);
            if let Some(purpose) = purpose {
                on_failure(purpose, refusal.error);
            }
        });
        Ok(OpenStream { sender: mailbox.sender(options).await?, undecided })
    }

    fn fail_undecided(&self, broken: &OpenStream, error: &SpreadError) {
        let decided = broken.sender.progress().decided;
        let undecided = broken.undecided.lock().unwrap().split_off(&(decided + 1));
        for purpose in undecided.into_values() {
            (self.on_failure)(purpose, error.clone());
        }
    }

    /// Waits until the daemon got the earlier messages, for a limited time.
    pub async fn flush(&self) {
        let flush = async {
            if let Some(open) = &*self.stream.lock().await {
                open.sender.flush().await.ok();
            }
        };
        tokio::time::timeout(FLUSH_TIME, flush).await.ok();
    }
}

impl OpenStream {
    async fn send(&self, purpose: Purpose, message: &OutgoingMessage) -> Result<(), SpreadError> {
        // The caller has locked the stream, so no other message gets this index.
        let progress = self.sender.progress();
        let index = progress.sent + 1;
        {
            let mut undecided = self.undecided.lock().unwrap();
            if undecided.len() >= MAX_UNDECIDED {
                *undecided = undecided.split_off(&(progress.decided + 1));
            }
            undecided.insert(index, purpose);
        }
        let sent = self.sender.send_message(message).await;
        if sent.is_err() {
            self.undecided.lock().unwrap().remove(&index);
        }
        sent
    }
}
