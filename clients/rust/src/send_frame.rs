//! Frames of a MulticastStream, whose messages are encoded when they are added, and the codec of
//! the frames.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use prost::encoding::{btree_map, encode_varint, encoded_len_varint, string};
use prost::{EncodeError, Message};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::ProstDecoder;

use crate::contract::{MulticastMessage, MulticastStreamOpen, MulticastStreamResponse};
use crate::{OutgoingMessage, Service};

/// Tags of the contract's fields: number and wire type.
const TAG_OPEN: u8 = 1 << 3 | 2;
const TAG_BATCH: u8 = 2 << 3 | 2;
const TAG_ELEMENT: u8 = 1 << 3 | 2;
const TAG_RESPOND: u8 = 2 << 3;
const TAG_SERVICE: u8 = 1 << 3;
const TAG_GROUP: u8 = 2 << 3 | 2;
const TAG_PAYLOAD: u8 = 3 << 3 | 2;
const TAG_TYPE: u8 = 4 << 3;
const TAG_DISCARD: u8 = 5 << 3;
/// The number of the contract's field.
const HEADERS: u32 = 6;
/// Maximum size of a batch without its messages.
const MAX_FRAME_BYTES: usize = 13;

/// Messages that share a frame.
#[derive(Default)]
pub(crate) struct SendFrame {
    /// The messages, until the frame is written.
    gathering: BytesMut,
    /// The messages, after the frame was passed to the stream.
    written: Bytes,
    /// The end of each message.
    ends: Vec<usize>,
    /// Number of decided messages.
    pub decided: usize,
}

fn len_of_bytes(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

fn put_bytes(buffer: &mut BytesMut, tag: u8, bytes: &[u8]) {
    buffer.put_u8(tag);
    encode_varint(bytes.len() as u64, buffer);
    buffer.put_slice(bytes);
}

/// Size of the encoded headers of a message.
pub(crate) fn headers_len(headers: &BTreeMap<String, String>) -> usize {
    if headers.is_empty() {
        return 0;
    }
    btree_map::encoded_len(string::encoded_len, string::encoded_len, HEADERS, headers)
}

impl SendFrame {
    /// Number of messages.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Encodes a message. It copies the payload.
    pub fn add<G: AsRef<str>>(
        &mut self,
        kind: i32,
        groups: &[G],
        payload: &[u8],
        message_type: i32,
        self_discard: bool,
        headers: &BTreeMap<String, String>,
    ) {
        let zigzag = ((message_type << 1) ^ (message_type >> 31)) as u32;
        let mut len = 2 + groups.iter().map(|group| len_of_bytes(group.as_ref().len())).sum::<usize>();
        if !payload.is_empty() {
            len += len_of_bytes(payload.len());
        }
        if message_type != 0 {
            len += 1 + encoded_len_varint(zigzag.into());
        }
        if self_discard {
            len += 2;
        }
        len += headers_len(headers);
        let buffer = &mut self.gathering;
        buffer.reserve(len_of_bytes(len));
        buffer.put_u8(TAG_ELEMENT);
        encode_varint(len as u64, buffer);
        buffer.put_slice(&[TAG_SERVICE, kind as u8]);
        for group in groups {
            put_bytes(buffer, TAG_GROUP, group.as_ref().as_bytes());
        }
        if !payload.is_empty() {
            put_bytes(buffer, TAG_PAYLOAD, payload);
        }
        if message_type != 0 {
            buffer.put_u8(TAG_TYPE);
            encode_varint(zigzag.into(), buffer);
        }
        if self_discard {
            buffer.put_slice(&[TAG_DISCARD, 1]);
        }
        if !headers.is_empty() {
            let len_of = string::encoded_len;
            btree_map::encode(string::encode, len_of, string::encode, len_of, HEADERS, headers, buffer);
        }
        self.ends.push(buffer.len());
    }

    /// Closes the frame and returns its messages for the stream.
    pub fn take(&mut self) -> Bytes {
        self.written = self.gathering.split().freeze();
        self.written.clone()
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }

    /// The messages that are not decided.
    pub fn undecided(&self) -> impl Iterator<Item = OutgoingMessage> {
        let bytes = if self.gathering.is_empty() { &self.written[..] } else { &self.gathering[..] };
        (self.decided..self.ends.len()).filter_map(move |index| {
            let message = &bytes[self.start(index) + 1..self.ends[index]];
            let message = MulticastMessage::decode_length_delimited(message).ok()?;
            let mut service = Service::from_contract(message.service_type);
            if message.self_discard {
                service |= Service::SELF_DISCARD;
            }
            Some(OutgoingMessage {
                service_type: service,
                groups: message.groups,
                payload: message.payload,
                message_type: message.message_type,
                headers: message.headers,
            })
        })
    }
}

/// A frame of the stream.
pub(crate) enum OutgoingFrame {
    Open(MulticastStreamOpen),
    /// Encoded messages. `responds`: the frame requests a response.
    Batch {
        messages: Bytes,
        responds: bool,
    },
}

#[derive(Default)]
pub(crate) struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = OutgoingFrame;
    type Decode = MulticastStreamResponse;
    type Encoder = Self;
    type Decoder = ProstDecoder<MulticastStreamResponse>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(BufferSettings::default())
    }
}

impl Encoder for FrameCodec {
    type Item = OutgoingFrame;
    type Error = Status;

    fn encode(&mut self, frame: OutgoingFrame, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        if let OutgoingFrame::Batch { messages, .. } = &frame {
            out.reserve(messages.len() + MAX_FRAME_BYTES);
        }
        put_frame(&frame, out).map_err(|error| Status::internal(error.to_string()))
    }
}

fn put_frame(frame: &OutgoingFrame, out: &mut impl BufMut) -> Result<(), EncodeError> {
    match frame {
        OutgoingFrame::Open(open) => {
            out.put_u8(TAG_OPEN);
            open.encode_length_delimited(out)
        }
        OutgoingFrame::Batch { messages, responds } => {
            let len = messages.len() + if *responds { 2 } else { 0 };
            out.put_u8(TAG_BATCH);
            encode_varint(len as u64, out);
            out.put_slice(messages);
            if *responds {
                out.put_slice(&[TAG_RESPOND, 1]);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{MulticastBatch, MulticastStreamRequest, multicast_stream_request::Frame};

    #[test]
    fn encodes_what_the_generated_code_would() {
        let mut frame = SendFrame::default();
        let mut expected = Vec::new();
        let long = "v".repeat(300);
        for (groups, payload, message_type, discard, headers) in [
            (vec!["a"], &b""[..], 0, false, vec![]),
            (vec!["alpha", "beta"], b"hello", -32768, true, vec![("b", "Grüße"), ("a", ""), ("", "c")]),
            (vec!["g"], &[7; 300], 32767, false, vec![("long", long.as_str())]),
        ] {
            let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            frame.add(5, &groups, payload, message_type, discard, &headers);
            let message = MulticastMessage {
                service_type: 5,
                groups: groups.into_iter().map(str::to_owned).collect(),
                payload: payload.to_vec().into(),
                message_type,
                self_discard: discard,
                headers,
            };
            expected.push(message);
        }
        let expected_headers: Vec<_> = expected.iter().map(|message| message.headers.clone()).collect();
        let headers: Vec<_> = frame.undecided().map(|message| message.headers).collect();
        assert_eq!(headers, expected_headers);
        let messages = frame.take();
        for respond in [false, true] {
            let outgoing = OutgoingFrame::Batch { messages: messages.clone(), responds: respond };
            let batch = MulticastBatch { messages: expected.clone(), respond };
            let mut wire = Vec::new();
            put_frame(&outgoing, &mut wire).unwrap();
            assert_eq!(wire, MulticastStreamRequest { frame: Some(Frame::Batch(batch)) }.encode_to_vec());
        }
        frame.decided = 1;
        let rest: Vec<_> = frame.undecided().map(|message| (message.service_type, message.message_type)).collect();
        let safe = Service::AGREED_MESS;
        assert_eq!(rest, [(safe | Service::SELF_DISCARD, -32768), (safe, 32767)]);
    }
}
