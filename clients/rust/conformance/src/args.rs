//! Converts the arguments of requests to options of the client.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use spread_sidecar::*;

use crate::plain::Failure;

pub fn text<'a>(args: &'a Value, name: &str) -> &'a str {
    args[name].as_str().unwrap_or("")
}

pub fn is(args: &Value, name: &str) -> bool {
    args[name].as_bool().unwrap_or(false)
}

pub fn number(args: &Value, name: &str) -> Option<u64> {
    args[name].as_u64()
}

pub fn millis(args: &Value, name: &str) -> Option<Duration> {
    args[name].as_f64().map(|ms| Duration::from_secs_f64(ms / 1000.0))
}

/// The number of repetitions, 1 by default.
pub fn times(args: &Value, name: &str) -> u64 {
    number(args, name).unwrap_or(1)
}

pub fn service(args: &Value) -> Service {
    let service = match text(args, "serviceType") {
        "UNRELIABLE" => Service::UNRELIABLE_MESS,
        "RELIABLE" => Service::RELIABLE_MESS,
        "FIFO" => Service::FIFO_MESS,
        "CAUSAL" => Service::CAUSAL_MESS,
        "AGREED" => Service::AGREED_MESS,
        "SAFE" => Service::SAFE_MESS,
        _ => Service(0),
    };
    if is(args, "selfDiscard") { service | Service::SELF_DISCARD } else { service }
}

pub fn groups(args: &Value) -> Vec<String> {
    let given = args["groups"].as_array().into_iter().flatten();
    given.map(|group| group.as_str().unwrap_or("").to_owned()).collect()
}

pub fn payload(args: &Value) -> Result<Vec<u8>, Failure> {
    BASE64_STANDARD.decode(text(args, "payload")).map_err(|error| Failure::Driver(error.to_string()))
}

pub fn message_type(args: &Value) -> Result<i32, Failure> {
    let given = args["messageType"].as_i64().unwrap_or(0);
    i32::try_from(given).map_err(|_| Failure::Driver(format!("messageType {given} fits no i32")))
}

/// The message of a request that has `headers`, which may be empty.
pub fn message_with_headers(args: &Value) -> Result<Option<OutgoingMessage>, Failure> {
    let Some(headers) = args["headers"].as_object() else { return Ok(None) };
    let headers = headers.iter().map(|(name, value)| (name, value.as_str().unwrap_or("")));
    let message = OutgoingMessage::new(service(args), groups(args), payload(args)?);
    Ok(Some(message.message_type(message_type(args)?).headers(headers)))
}

pub fn channel(args: &Value) -> Result<Sidecar, SpreadError> {
    let mut builder = Sidecar::builder(text(args, "target")).insecure(is(args, "insecure"));
    if let Some(token) = args["token"].as_str() {
        builder = builder.token(token);
    }
    for (name, value) in args["headers"].as_object().into_iter().flatten() {
        builder = builder.header(name, value.as_str().unwrap_or(""));
    }
    if let Some(timeout) = millis(args, "callTimeoutMs") {
        builder = builder.call_timeout(timeout);
    }
    let given = &args["tls"];
    if given.is_object() {
        let mut tls = Tls::new();
        if let Some(ca) = given["ca"].as_str() {
            tls = tls.ca(ca);
        }
        if let (Some(cert), Some(key)) = (given["cert"].as_str(), given["key"].as_str()) {
            tls = tls.identity(cert, key);
        }
        if let Some(name) = given["serverName"].as_str() {
            tls = tls.server_name(name);
        }
        builder = builder.tls(tls);
    }
    builder.build()
}

pub fn receiving(args: &Value) -> ReceiveOptions {
    let mut options = ReceiveOptions::new()
        .auto_receive(is(args, "autoReceive"))
        .manual_acknowledgement(is(args, "manualAcknowledgement"))
        .max_outstanding_events(number(args, "maxOutstandingEvents").unwrap_or(0))
        .max_outstanding_bytes(number(args, "maxOutstandingBytes").unwrap_or(0))
        .keep_alive(args["keepAlive"].as_bool().unwrap_or(true));
    if let Some(events) = number(args, "maxBufferedEvents") {
        options = options.max_buffered_events(events as usize);
    }
    if let Some(bytes) = number(args, "maxBufferedBytes") {
        options = options.max_buffered_bytes(bytes as usize);
    }
    if let Some(interval) = millis(args, "heartbeatIntervalMs") {
        options = options.heartbeat_interval(if interval.is_zero() { None } else { Some(interval) });
    }
    options
}

pub fn mailbox(args: &Value) -> MailboxOptions {
    let mut options = MailboxOptions::named(text(args, "privateName"))
        .spread_name(text(args, "spreadName"))
        .priority(number(args, "priority").unwrap_or(0) as u32);
    if let Some(membership) = args["membership"].as_bool() {
        options = options.membership(membership);
    }
    if text(args, "onNameConflict") == "SUFFIX" {
        options = options.on_name_conflict(NameConflict::Suffix);
    }
    match text(args, "auth") {
        "NULL" => options = options.auth(AuthMethod::Null),
        "IP" => options = options.auth(AuthMethod::Ip),
        _ => {}
    }
    if let Some(lease) = millis(args, "leaseMs") {
        options = options.lease(lease);
    }
    if text(args, "acknowledgement") == "EXPLICIT" {
        options = options.acknowledgement(AcknowledgementMode::Explicit);
    }
    if args["reconnect"].is_object() || is(args, "reconnect") {
        options = options.reconnect(reconnect(&args["reconnect"]));
    }
    if args["queue"].is_object() {
        options = options.queue(queue(&args["queue"]));
    }
    options
}

fn reconnect(args: &Value) -> ReconnectOptions {
    let mut options = ReconnectOptions::new().queue_multicasts(is(args, "queueMulticasts"));
    if let Some(time) = millis(args, "giveUpAfterMs") {
        options = options.give_up_after(time);
    }
    match text(args, "onNameLoss") {
        "END" => options.on_name_loss(NameLoss::End),
        "SUFFIX" => options.on_name_loss(NameLoss::Suffix),
        "DAEMON_MADE" => options.on_name_loss(NameLoss::DaemonMade),
        _ => options,
    }
}

fn queue(args: &Value) -> QueueOptions {
    let mut options = QueueOptions::new()
        .max_events(number(args, "maxEvents").unwrap_or(0))
        .max_bytes(number(args, "maxBytes").unwrap_or(0))
        .replay_bytes(number(args, "replayBytes").unwrap_or(0));
    match text(args, "overflow") {
        "PAUSE" => options = options.overflow(OverflowPolicy::Pause),
        "DISCONNECT" => options = options.overflow(OverflowPolicy::Disconnect),
        _ => {}
    }
    let soft = &args["softLimit"];
    if soft.is_object() {
        options = options.soft_limit(SoftLimit { fraction: soft["fraction"].as_f64(), time: millis(soft, "timeMs") });
    }
    options
}
