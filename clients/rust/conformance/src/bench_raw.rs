//! The same with the minimum of code and only the generated stubs.

use bytes::Bytes;
use spread_sidecar::contract::mailbox_service_client::MailboxServiceClient;
use spread_sidecar::contract::multicast_stream_request::Frame;
use spread_sidecar::contract::receive_response::Frame as Received;
use spread_sidecar::contract::*;
use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use crate::plain::Failure;

/// A frame has the same size as one of the client.
const BATCH_MESSAGES: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;

pub struct RawPeer {
    stub: MailboxServiceClient<Channel>,
    mailbox_id: String,
    group: String,
    frames: mpsc::Sender<MulticastStreamRequest>,
    receiving: Mutex<tonic::Streaming<ReceiveResponse>>,
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Driver(error.to_string())
}

impl RawPeer {
    pub async fn new(target: &str, group: String) -> Result<Self, Failure> {
        let uri = match target.strip_prefix("unix:") {
            Some(path) => format!("unix://{path}"),
            None => format!("http://{target}"),
        };
        let endpoint = Endpoint::from_shared(uri).map_err(failed)?;
        let endpoint = endpoint.initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 30);
        let channel = endpoint.tcp_nodelay(true).connect().await.map_err(failed)?;
        let mut stub = MailboxServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        let request = ConnectRequest { membership: Some(false), ..Default::default() };
        let mailbox_id = stub.connect(request).await.map_err(failed)?.into_inner().mailbox_id;
        let request = JoinRequest { mailbox_id: mailbox_id.clone(), group: group.clone(), await_view: false };
        stub.join(request).await.map_err(failed)?;
        let (frames, sending) = mpsc::channel(1);
        let open = Frame::Open(MulticastStreamOpen { mailbox_id: mailbox_id.clone(), responds_on_request: false });
        frames.send(MulticastStreamRequest { frame: Some(open) }).await.map_err(failed)?;
        let answers = stub.multicast_stream(ReceiverStream::new(sending)).await.map_err(failed)?;
        let mut answers = answers.into_inner();
        tokio::spawn(async move { while let Ok(Some(_)) = answers.message().await {} });
        let request = ReceiveRequest { mailbox_id: mailbox_id.clone(), ..Default::default() };
        let receiving = Mutex::new(stub.receive(request).await.map_err(failed)?.into_inner());
        Ok(Self { stub, mailbox_id, group, frames, receiving })
    }

    fn message(&self, payload: Bytes) -> MulticastMessage {
        MulticastMessage {
            service_type: ServiceType::Fifo.into(),
            groups: vec![self.group.clone()],
            payload,
            message_type: 0,
            self_discard: false,
            ..Default::default()
        }
    }

    pub async fn send(&self, payload: &[u8], count: usize) -> Result<(), Failure> {
        let payload = Bytes::copy_from_slice(payload);
        let most = BATCH_MESSAGES.min(BATCH_BYTES / payload.len().max(1)).max(1);
        let mut rest = count;
        while rest > 0 {
            let next = rest.min(most);
            rest -= next;
            let messages = (0..next).map(|_| self.message(payload.clone())).collect();
            let frame = Some(Frame::Batch(MulticastBatch { messages, respond: false }));
            self.frames.send(MulticastStreamRequest { frame }).await.map_err(failed)?;
        }
        Ok(())
    }

    pub async fn multicast(&self, payload: Bytes) -> Result<(), Failure> {
        let message = Some(self.message(payload));
        let request = MulticastRequest { mailbox_id: self.mailbox_id.clone(), message };
        self.stub.clone().multicast(request).await.map_err(failed)?;
        Ok(())
    }

    pub async fn receive(&self) -> Result<usize, Failure> {
        let mut receiving = self.receiving.lock().await;
        loop {
            let response = receiving.message().await.map_err(failed)?;
            let response = response.ok_or_else(|| failed("the stream has ended"))?;
            if let Some(Received::Batch(batch)) = response.frame {
                return Ok(batch.events.len());
            }
        }
    }

    pub async fn close(&self) -> Result<(), Failure> {
        let request = DisconnectRequest { mailbox_id: self.mailbox_id.clone(), ..Default::default() };
        self.stub.clone().disconnect(request).await.map_err(failed)?;
        Ok(())
    }
}
