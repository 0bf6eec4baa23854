//! Runs the examples of `test/conformance/rules`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use prost::Message;
use serde_json::{Value, json};

use super::acknowledgement::{Acknowledgement, AfterFailure};
use super::backoff::Backoff;
use super::failures::{ends_stream_only, has_mailbox_ended, is_ignored_by_disconnect, may_become_ready, may_pass};
use super::lease::Lease;
use super::receiving::{AfterStream, Receiving, ReceivingOptions, Signal};
use super::rejected::RejectedMessages;
use super::send_window::{SendWindow, WrittenFrame, message_size};
use crate::contract::{self, ReceiveResponse, receive_response::Frame};
use crate::error::Failure;
use crate::rich::{ErrorInfo, RetryInfo, RichStatus};
use crate::rich_status::from_status;
use crate::send_frame::headers_len;
use crate::{Code, Event, Refusal, SIDECAR_DOMAIN, SPREAD_DOMAIN, SenderOptions, SpreadError, StatusCode};

const FILES: [&str; 6] = ["acknowledgement", "backoff", "calls", "failures", "lease", "receive"];
const SENDER: &str = "sender";

/// Runs all examples of a file. `members`: the members of an example, besides its name and rules.
fn each_example(file: &str, members: &[&str], run: impl Fn(&str, &Value)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/conformance/rules").join(format!("{file}.json"));
    let content: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    check_members(file, &content, &["examples"]);
    let examples = content["examples"].as_array().unwrap();
    assert!(!examples.is_empty());
    for example in examples {
        let name = example["name"].as_str().unwrap();
        check_members(name, example, &[&["name", "rules"], members].concat());
        run(name, example);
    }
}

/// Runs the steps of an example. `kinds`: the first member of a step, and its other members. The
/// function gets this first member, the step, and a description for messages.
fn each_step(name: &str, example: &Value, kinds: &[(&str, &[&str])], mut run: impl FnMut(&str, &Value, &str)) {
    let steps = example["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for (index, step) in steps.iter().enumerate() {
        let label = format!("{name}, step {}: {step}", index + 1);
        let (kind, members) = *kinds
            .iter()
            .find(|(kind, _)| step.get(kind).is_some())
            .unwrap_or_else(|| panic!("{label}: unknown kind of step"));
        check_members(&label, step, &[&[kind], members].concat());
        run(kind, step, &label);
    }
}

fn check_members(label: &str, value: &Value, known: &[&str]) {
    for member in value.as_object().unwrap().keys() {
        assert!(known.contains(&member.as_str()), "{label}: unknown member {member}");
    }
}

/// A number, or text with a number that JavaScript cannot represent.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn millis(value: &Value) -> Duration {
    Duration::from_millis(number(value))
}

fn boolean(value: &Value) -> bool {
    if value.is_null() { false } else { value.as_bool().unwrap() }
}

fn status_of(value: &Value) -> StatusCode {
    let name = value.as_str().unwrap();
    let status = (0..17).map(StatusCode::from_number).find(|status| status.as_str() == name);
    status.unwrap_or_else(|| panic!("unknown status {name}"))
}

fn metadata_of(value: &Value) -> BTreeMap<String, String> {
    let Some(members) = value.as_object() else { return BTreeMap::new() };
    members.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn domain_of(reason: &str) -> &'static str {
    match Code::from_name(reason) {
        Some(_) => SPREAD_DOMAIN,
        None if reason.is_empty() => "",
        None => SIDECAR_DOMAIN,
    }
}

fn error_of(value: &Value) -> SpreadError {
    check_members("error", value, &["status", "reason", "retryable", "metadata"]);
    let mut failure = Failure::new(status_of(&value["status"]), "an error");
    failure.reason = value["reason"].as_str().unwrap_or_default().to_owned();
    failure.domain = domain_of(&failure.reason).to_owned();
    failure.retryable = boolean(&value["retryable"]);
    failure.metadata = metadata_of(&value["metadata"]);
    failure.into()
}

#[test]
fn every_file_of_examples_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/conformance/rules");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, [&FILES[..], &[SENDER]].concat());
}

#[test]
fn pauses_follow_the_examples() {
    each_example("backoff", &["kind", "steps"], |name, example| {
        let mut backoff = match example["kind"].as_str() {
            Some("stream") => Backoff::of_stream(),
            Some("ready") => Backoff::of_ready(),
            kind => panic!("{name}: unknown kind {kind:?}"),
        };
        each_step(name, example, &[("draw", &["pauseMs"]), ("reset", &[])], |kind, step, label| match kind {
            "draw" => {
                assert_eq!(backoff.next(step["draw"].as_f64().unwrap()), millis(&step["pauseMs"]), "{label}");
            }
            _ => backoff.reset(),
        });
    });
}

#[test]
fn failures_follow_the_examples() {
    each_example("failures", &["error", "tokenMayChange", "expect"], |name, example| {
        let error = error_of(&example["error"]);
        let token_may_change = boolean(&example["tokenMayChange"]);
        let mut acknowledgement = Acknowledgement::new(token_may_change);
        acknowledgement.request(1);
        let after = match acknowledgement.on_failure(error.clone(), 0.0) {
            AfterFailure::Repeat(_) => "repeat",
            AfterFailure::Stop => "stop",
            AfterFailure::Fail(_) => "fail",
        };
        let found = json!({
            "transportFailure": may_pass(&error, false),
            "mayPass": may_pass(&error, token_may_change),
            "endsStreamOnly": ends_stream_only(&error),
            "mailboxEnded": has_mailbox_ended(&error),
            "disconnectReturns": if is_ignored_by_disconnect(&error) { json!(false) } else { json!("error") },
            "acknowledgement": after,
        });
        assert_eq!(found, example["expect"], "{name}");
    });
}

#[test]
fn errors_of_calls_follow_the_examples() {
    each_example("calls", &["status", "info", "hasRetryInfo", "details", "expect"], |name, example| {
        let mut details = Vec::new();
        let info = &example["info"];
        if !info.is_null() {
            check_members(name, info, &["reason", "metadata"]);
            let reason = info["reason"].as_str().unwrap().to_owned();
            let domain = domain_of(&reason).to_owned();
            let info = ErrorInfo { reason, domain, metadata: metadata_of(&info["metadata"]) };
            details.push(any("google.rpc.ErrorInfo", info.encode_to_vec()));
        }
        if example["hasRetryInfo"].as_bool().unwrap() {
            details.push(any("google.rpc.RetryInfo", RetryInfo::default().encode_to_vec()));
        }
        let bytes = match example["details"].as_str() {
            None => RichStatus { details, ..RichStatus::default() }.encode_to_vec(),
            Some("malformed") => vec![0xff; 3],
            Some(other) => panic!("{name}: unknown details {other}"),
        };
        let code = tonic::Code::from(status_of(&example["status"]) as i32);
        let error = from_status(tonic::Status::with_details(code, "a failure", bytes.into())).for_send();
        let found = json!({
            "retryable": error.is_retryable(),
            "outcome": error.outcome().unwrap().as_str(),
            "reason": error.reason(),
        });
        assert_eq!(found, example["expect"], "{name}");
    });
}

fn any(name: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value }
}

/// C7 has no examples.
#[test]
fn waiting_for_the_sidecar_continues_only_after_two_statuses() {
    let continues: Vec<_> = (0..17)
        .map(StatusCode::from_number)
        .filter(|status| may_become_ready(&Failure::new(*status, "").into()))
        .collect();
    assert_eq!(continues, [StatusCode::DeadlineExceeded, StatusCode::Unavailable]);
}

#[test]
fn the_lease_follows_the_examples() {
    each_example("lease", &["leaseMs", "checkEveryMs", "steps"], |name, example| {
        let start = Instant::now();
        let lease = Lease::new(millis(&example["leaseMs"]), start);
        assert_eq!(lease.check_interval(), millis(&example["checkEveryMs"]), "{name}");
        let kinds: [(&str, &[&str]); 2] = [("used", &["atMs"]), ("renews", &["atMs", "attached"])];
        each_step(name, example, &kinds, |kind, step, label| {
            let now = start + millis(&step["atMs"]);
            match kind {
                "used" => lease.used(now),
                _ => assert_eq!(lease.renews(now, boolean(&step["attached"])), step["renews"], "{label}"),
            }
        });
    });
}

#[test]
fn acknowledgements_follow_the_examples() {
    each_example("acknowledgement", &["steps"], |name, example| {
        let mut rules = Acknowledgement::new(false);
        let kinds: [(&str, &[&str]); 5] = [
            ("request", &["sends"]),
            ("succeeds", &["sends"]),
            ("fails", &["pauseUpToMs", "stops"]),
            ("pauseEnds", &["sends"]),
            ("closes", &[]),
        ];
        each_step(name, example, &kinds, |kind, step, label| {
            let sends = match kind {
                "request" => rules.request(number(&step["request"])).then(|| rules.open_call()).flatten(),
                "succeeds" => rules.on_success(),
                "pauseEnds" => rules.on_pause_end(),
                "closes" => {
                    rules.close();
                    None
                }
                _ => {
                    let error = error_of(&step["fails"]);
                    let found = match rules.on_failure(error.clone(), 1.0) {
                        AfterFailure::Repeat(pause) => json!({ "pauseUpToMs": pause.as_millis() as u64 }),
                        AfterFailure::Stop => json!({ "stops": "silently" }),
                        AfterFailure::Fail(found) => {
                            assert_eq!(found.reason(), error.reason(), "{label}");
                            json!({ "stops": "withError" })
                        }
                    };
                    let mut expected = step.clone();
                    expected.as_object_mut().unwrap().remove("fails");
                    assert_eq!(found, expected, "{label}");
                    None
                }
            };
            assert_eq!(json!(sends), step["sends"], "{label}");
        });
    });
}

/// A known kind of event, or an event of an unknown kind.
fn event_of(sequence: u64, is_known: bool) -> contract::Event {
    let kind = is_known.then(|| contract::event::Kind::SelfLeave(contract::SelfLeave { group: "g".to_owned() }));
    contract::Event { sequence, kind, ..contract::Event::default() }
}

fn check_end(end: Option<&SpreadError>, expected: &Value, label: &str) {
    let Some(error) = end else {
        return assert!(expected.is_null(), "{label}");
    };
    check_members(label, expected, &["status", "reason", "metadata", "message"]);
    assert_eq!(error.status().as_str(), expected["status"], "{label}");
    assert_eq!(error.reason(), expected["reason"], "{label}");
    assert_eq!(*error.metadata(), metadata_of(&expected["metadata"]), "{label}");
    let message = expected["message"].as_str().unwrap_or_default();
    assert!(error.message().contains(message), "{label}: {}", error.message());
}

#[test]
fn receiving_follows_the_examples() {
    each_example("receive", &["options", "steps"], |name, example| {
        let options = &example["options"];
        check_members(name, options, &["afterSequence", "leaseMs", "heartbeatIntervalMs", "tokenMayChange"]);
        let heartbeat = millis(&options["heartbeatIntervalMs"]);
        let start = Instant::now();
        let mut now = start;
        let mut rules = Receiving::new(
            ReceivingOptions {
                after_sequence: number(&options["afterSequence"]),
                lease: millis(&options["leaseMs"]),
                heartbeat_interval: (!heartbeat.is_zero()).then_some(heartbeat),
                token_may_change: boolean(&options["tokenMayChange"]),
            },
            start,
        );
        let kinds: [(&str, &[&str]); 7] = [
            ("opens", &["atMs", "last"]),
            ("attached", &["atMs", "last", "end"]),
            ("events", &["atMs", "last", "end", "unknownKinds", "taken"]),
            ("heartbeat", &["atMs", "last", "end"]),
            ("unknownFrame", &["atMs", "last"]),
            ("fails", &["atMs", "last", "end", "pauseUpToMs", "detached"]),
            ("closes", &["atMs", "last", "end"]),
        ];
        each_step(name, example, &kinds, |kind, step, label| {
            if let Some(at) = step.get("atMs") {
                now = start + millis(at);
            }
            let value = &step[kind];
            // The end of receiving: none, or with an error, or without an error.
            let end: Option<Option<SpreadError>> = match kind {
                "opens" => {
                    let limit = rules.attach_limit(now).as_millis() as u64;
                    let found = json!({ "afterSequence": rules.last_sequence(), "attachLimitMs": limit });
                    let expected = json!({
                        "afterSequence": number(&value["afterSequence"]),
                        "attachLimitMs": value["attachLimitMs"],
                    });
                    check_members(label, value, &["afterSequence", "attachLimitMs"]);
                    assert_eq!(found, expected, "{label}");
                    None
                }
                "fails" => match rules.on_failure(error_of(value), now, 1.0) {
                    AfterStream::Attach { pause, detached } => {
                        assert_eq!(Some(pause), step.get("pauseUpToMs").map(millis), "{label}");
                        assert_eq!(detached.is_some(), boolean(&step["detached"]), "{label}");
                        None
                    }
                    AfterStream::End(error) | AfterStream::GiveUp(error) => {
                        assert!(step.get("pauseUpToMs").is_none() && step.get("detached").is_none(), "{label}");
                        Some(Some(error))
                    }
                },
                "closes" => Some(None),
                _ => {
                    let frame = match kind {
                        "attached" => Some(Frame::Attached(contract::ReceiveAttached {
                            next_sequence: number(value),
                            ..contract::ReceiveAttached::default()
                        })),
                        "events" => {
                            let unknown = step.get("unknownKinds").map(numbers).unwrap_or_default();
                            let events = numbers(value)
                                .into_iter()
                                .map(|sequence| event_of(sequence, !unknown.contains(&sequence)))
                                .collect();
                            Some(Frame::Batch(contract::EventBatch { events }))
                        }
                        "heartbeat" => Some(Frame::Heartbeat(contract::Heartbeat {
                            last_sequence: number(value),
                            ..contract::Heartbeat::default()
                        })),
                        _ => None,
                    };
                    let mut events = Vec::new();
                    let result = rules.take_frame(ReceiveResponse { frame }, &mut events);
                    let taken: Vec<_> = events.iter().map(Event::sequence).collect();
                    assert_eq!(taken, step.get("taken").map(numbers).unwrap_or_default(), "{label}");
                    let is_attached = matches!(result, Ok(Some(Signal::Attached(_))));
                    assert_eq!(is_attached, kind == "attached" && result.is_ok(), "{label}");
                    result.err().map(Some)
                }
            };
            assert_eq!(end.is_some(), step.get("end").is_some(), "{label}: {end:?}");
            if let Some(end) = end {
                check_end(end.as_ref(), &step["end"], label);
            }
            if let Some(last) = step.get("last") {
                assert_eq!(rules.last_sequence(), number(last), "{label}");
            }
        });
    });
}

/// R7 has no examples.
#[test]
fn an_attached_stream_is_silent_only_with_heartbeats() {
    let limit_of = |heartbeat_interval| {
        let lease = Duration::from_secs(30);
        let options = ReceivingOptions { after_sequence: 0, lease, heartbeat_interval, token_may_change: false };
        Receiving::new(options, Instant::now()).silence_limit()
    };
    assert_eq!(limit_of(Some(Duration::from_secs(10))), Some(Duration::from_secs(30)));
    assert_eq!(limit_of(None), None);
}

#[test]
fn the_send_window_follows_the_examples() {
    each_example(SENDER, &["options", "steps"], |name, example| {
        let options = &example["options"];
        check_members(name, options, &["maxInFlightMessages", "maxInFlightBytes", "maxBatchBytes"]);
        let mut window = SendWindow::new(
            &SenderOptions::new()
                .max_in_flight_messages(number(&options["maxInFlightMessages"]) as usize)
                .max_in_flight_bytes(number(&options["maxInFlightBytes"]) as usize)
                .max_batch_bytes(number(&options["maxBatchBytes"]) as usize),
        );
        let kinds: [(&str, &[&str]); 7] = [
            ("sends", &["full"]),
            ("writes", &[]),
            ("flush", &[]),
            ("response", &["inFlight", "full", "end"]),
            ("fails", &["outcome"]),
            ("closes", &["end"]),
            ("closing", &[]),
        ];
        each_step(name, example, &kinds, |kind, step, label| {
            let value = &step[kind];
            let end = match kind {
                "sends" => {
                    check_members(label, value, &["payloadBytes", "groups", "headers", "times"]);
                    let groups = value.get("groups").map_or(1, number) as usize;
                    let headers = headers_len(&metadata_of(&value["headers"]));
                    for _ in 0..value.get("times").map_or(1, number) {
                        window.send(message_size(number(&value["payloadBytes"]) as usize, groups, headers));
                    }
                    None
                }
                "writes" => {
                    assert_eq!(window.write(), Some(written_frame(value)), "{label}");
                    None
                }
                "flush" => {
                    check_members(label, value, &["frames"]);
                    window.flush();
                    let written: Vec<_> = std::iter::from_fn(|| window.write()).collect();
                    let expected: Vec<_> = value["frames"].as_array().unwrap().iter().map(written_frame).collect();
                    assert_eq!(written, expected, "{label}");
                    None
                }
                "response" => {
                    check_members(label, value, &["decided", "accepted"]);
                    let accepted = number(&value["accepted"]);
                    let result = window.on_response(number(&value["decided"]), accepted);
                    if result.is_ok() {
                        assert_eq!(window.progress().accepted, accepted, "{label}");
                    }
                    result.err()
                }
                "fails" => {
                    let outcome = window.on_failure(&error_of(value)).outcome().unwrap();
                    assert_eq!(outcome.as_str(), step["outcome"], "{label}");
                    None
                }
                "closes" => window.on_end(),
                _ => {
                    window.close();
                    None
                }
            };
            match &end {
                None => assert!(step["end"].is_null(), "{label}"),
                Some(error) => {
                    let outcome = error.outcome().unwrap().as_str();
                    let found = json!({ "status": error.status().as_str(), "outcome": outcome });
                    assert_eq!(found, step["end"], "{label}");
                }
            }
            if let Some(in_flight) = step.get("inFlight") {
                assert_eq!(window.in_flight() as u64, number(in_flight), "{label}");
            }
            if let Some(full) = step.get("full") {
                assert_eq!(json!(window.is_full()), *full, "{label}");
            }
        });
    });
}

fn written_frame(value: &Value) -> WrittenFrame {
    check_members("frame", value, &["messages", "respond"]);
    WrittenFrame { messages: number(&value["messages"]) as usize, responds: value["respond"].as_bool().unwrap() }
}

/// S6 has no examples.
#[test]
fn rejected_messages_are_reported_once_with_the_first_errors() {
    let mut rejected = RejectedMessages::default();
    assert!(rejected.take().is_none());
    let error: SpreadError = Failure::new(StatusCode::PermissionDenied, "no access").into();
    for index in 1..=150 {
        rejected.add(&[Refusal { index, error: error.clone() }]);
    }
    let report = rejected.take().unwrap();
    assert_eq!(report.message(), "rejected messages: 150; first error: no access");
    assert_eq!((report.refused(), report.refusals().len(), report.refusals()[99].index), (150, 100, 100));
    assert!(rejected.take().is_none());
}
