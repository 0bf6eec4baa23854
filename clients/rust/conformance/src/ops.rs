//! The requests.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use spread_sidecar::*;

use crate::args::*;
use crate::bench;
use crate::plain::*;
use crate::request_reply::{self, OpenCalls};

type Answer = Result<Value, Failure>;
type Told = Arc<Mutex<Vec<Value>>>;

#[derive(Clone)]
struct OpenMailbox {
    mailbox: Mailbox,
    notices: Told,
}

#[derive(Clone)]
struct OpenSender {
    sender: Arc<Sender>,
    refusals: Told,
}

/// The objects that requests have named.
#[derive(Default)]
pub struct Things {
    sidecars: Mutex<HashMap<String, Sidecar>>,
    mailboxes: Mutex<HashMap<String, OpenMailbox>>,
    senders: Mutex<HashMap<String, OpenSender>>,
    calls: Mutex<HashMap<String, OpenCalls>>,
}

fn named<T: Clone>(things: &Mutex<HashMap<String, T>>, kind: &str, args: &Value) -> Result<T, Failure> {
    let name = text(args, kind);
    let found = things.lock().unwrap().get(name).cloned();
    found.ok_or_else(|| Failure::Driver(format!("no {kind} is called {name}")))
}

fn unknown(op: &str) -> Failure {
    Failure::Driver(format!("unknown op {op}"))
}

/// A wait in the client, within the request's timeout.
async fn in_time<T>(args: &Value, wait: impl Future<Output = Result<T, SpreadError>>) -> Result<T, Failure> {
    match millis(args, "timeoutMs") {
        None => Ok(wait.await?),
        Some(timeout) => Ok(tokio::time::timeout(timeout, wait).await.map_err(|_| Failure::Late)??),
    }
}

impl Things {
    pub fn open(&self, args: &Value) -> Answer {
        let sidecar = channel(args)?;
        self.sidecars.lock().unwrap().insert(text(args, "sidecar").to_owned(), sidecar);
        Ok(json!({}))
    }

    pub async fn close_all(&self) {
        let sidecars: Vec<_> = self.sidecars.lock().unwrap().drain().map(|(_, sidecar)| sidecar).collect();
        let closing: Vec<_> =
            sidecars.into_iter().map(|sidecar| tokio::spawn(async move { sidecar.close().await })).collect();
        for closed in closing {
            if let Ok(Err(error)) = closed.await {
                eprintln!("closing: {error}");
            }
        }
    }

    pub async fn carry_out(&self, op: &str, args: &Value) -> Answer {
        match op {
            "resources" => Ok(resources()),
            "benchThroughput" => bench::in_own_runtime(args, bench::throughput).await,
            "benchRoundTrip" => bench::in_own_runtime(args, bench::round_trip).await,
            "waitForReady" | "version" | "list" | "closeSidecar" | "exitSidecar" | "connect" | "attach" => {
                let sidecar = named(&self.sidecars, "sidecar", args)?;
                self.on_sidecar(sidecar, op, args).await
            }
            "send" | "flush" | "senderState" | "closeSender" => {
                let sender = named(&self.senders, "sender", args)?;
                on_sender(sender, op, args).await
            }
            "openRequestReply" => {
                let (calls, answer) = request_reply::open(named(&self.sidecars, "sidecar", args)?, args).await?;
                self.calls.lock().unwrap().insert(text(args, "calls").to_owned(), calls);
                Ok(answer)
            }
            "serve" | "stopServing" | "request" | "requestStatistics" | "closeRequestReply" => {
                request_reply::carry_out(named(&self.calls, "calls", args)?, op, args).await
            }
            _ if args["mailbox"].is_null() => Err(unknown(op)),
            "openSender" => self.open_sender(named(&self.mailboxes, "mailbox", args)?, args).await,
            _ => on_mailbox(named(&self.mailboxes, "mailbox", args)?, op, args).await,
        }
    }

    async fn on_sidecar(&self, sidecar: Sidecar, op: &str, args: &Value) -> Answer {
        let own_timeout = sidecar.call_timeout();
        let sidecar = match millis(args, "timeoutMs") {
            Some(timeout) => sidecar.with_timeout(timeout),
            None => sidecar,
        };
        match op {
            "waitForReady" => {
                if is(args, "daemon") {
                    sidecar.wait_for_daemon().await?;
                } else {
                    sidecar.wait_for_ready().await?;
                }
                Ok(json!({}))
            }
            "version" => {
                let version = sidecar.version().await?;
                Ok(json!({
                    "sidecar": version.sidecar,
                    "contract": version.contract,
                    "clientProtocol": to_triple(version.client_protocol),
                    "daemon": version.daemon.map(to_triple),
                    "daemonAddress": version.daemon_address,
                    "embeddedDaemon": version.embedded_daemon,
                }))
            }
            "list" => {
                let mailboxes = sidecar.list(args["token"].as_str()).await?;
                let groups: Vec<_> = mailboxes.into_iter().map(|mailbox| mailbox.private_group).collect();
                Ok(json!({ "privateGroups": groups }))
            }
            "closeSidecar" => {
                self.sidecars.lock().unwrap().remove(text(args, "sidecar"));
                sidecar.close().await?;
                Ok(json!({}))
            }
            "exitSidecar" => {
                let received = if args["receivesFrom"].is_null() {
                    Ok(())
                } else {
                    let from = named(&self.mailboxes, "receivesFrom", args)?;
                    from.mailbox.receive().await.map(drop)
                };
                sidecar.close().await?;
                received?;
                Ok(json!({}))
            }
            _ => {
                let notices = Told::default();
                let collected = notices.clone();
                let receiving =
                    receiving(args).on_notice(move |notice| collected.lock().unwrap().push(to_notice(&notice)));
                let mailbox = if op == "connect" {
                    sidecar.connect(mailbox(args).receiving(receiving)).await?
                } else {
                    let mut options = AttachOptions::new().receiving(receiving);
                    if let Some(after) = number(args, "afterSequence") {
                        options = options.after_sequence(after);
                    }
                    sidecar.attach(text(args, "mailboxId"), options).await?
                };
                // The timeout of the request does not apply to later calls of the mailbox.
                let mailbox = mailbox.with_timeout(own_timeout);
                Ok(self.keep(text(args, "mailbox"), OpenMailbox { mailbox, notices }))
            }
        }
    }

    fn keep(&self, name: &str, open: OpenMailbox) -> Value {
        let mailbox = &open.mailbox;
        let answer = json!({
            "mailboxId": mailbox.id(),
            "privateGroup": mailbox.private_group(),
            "daemon": mailbox.daemon(),
            "daemonVersion": to_triple(mailbox.daemon_version()),
            "leaseMs": in_millis(mailbox.limits().lease),
            "acknowledgement": mailbox.acknowledgement().as_str(),
        });
        self.mailboxes.lock().unwrap().insert(name.to_owned(), open);
        answer
    }

    async fn open_sender(&self, open: OpenMailbox, args: &Value) -> Answer {
        let refusals = Told::default();
        let collected = refusals.clone();
        let mut options = SenderOptions::new();
        if args["callback"] != json!(false) {
            options = options.on_refused(move |refusal| collected.lock().unwrap().push(to_refusal(&refusal)));
        }
        if let Some(messages) = number(args, "maxInFlightMessages") {
            options = options.max_in_flight_messages(messages as usize);
        }
        if let Some(bytes) = number(args, "maxInFlightBytes") {
            options = options.max_in_flight_bytes(bytes as usize);
        }
        if let Some(bytes) = number(args, "maxBatchBytes") {
            options = options.max_batch_bytes(bytes as usize);
        }
        let sender = Arc::new(in_time(args, open.mailbox.sender(options)).await?);
        self.senders.lock().unwrap().insert(text(args, "sender").to_owned(), OpenSender { sender, refusals });
        Ok(json!({}))
    }
}

async fn on_mailbox(open: OpenMailbox, op: &str, args: &Value) -> Answer {
    let OpenMailbox { mailbox, notices } = open;
    if op == "receive" {
        return receive(&mailbox, args).await;
    }
    let mailbox = match millis(args, "timeoutMs") {
        Some(timeout) => mailbox.with_timeout(timeout),
        None => mailbox,
    };
    let group = text(args, "group");
    match op {
        "detach" => {
            let resumption = mailbox.detach().await;
            Ok(json!({ "mailboxId": resumption.mailbox_id, "afterSequence": resumption.after_sequence }))
        }
        "disconnect" => {
            let options =
                DisconnectOptions::new().leave_groups_first(is(args, "leaveGroupsFirst")).abort(is(args, "abort"));
            Ok(json!({ "wasOpen": mailbox.disconnect_with(options).await? }))
        }
        "exitMailbox" => {
            let received = if is(args, "receives") { mailbox.receive().await.map(drop) } else { Ok(()) };
            mailbox.disconnect().await?;
            received?;
            Ok(json!({}))
        }
        "join" if is(args, "awaitView") => Ok(json!({ "view": to_view(&mailbox.join_and_await_view(group).await?) })),
        "join" => {
            mailbox.join(group).await?;
            Ok(json!({ "view": null }))
        }
        "leave" if is(args, "awaitView") => {
            Ok(json!({ "selfLeave": mailbox.leave_and_await_view(group).await?.as_ref().map(to_self_leave) }))
        }
        "leave" => {
            mailbox.leave(group).await?;
            Ok(json!({ "selfLeave": null }))
        }
        "multicast" => {
            let sent = match message_with_headers(args)? {
                Some(message) => mailbox.multicast_message(message).await?,
                None => {
                    let (payload, message_type) = (payload(args)?, message_type(args)?);
                    mailbox.multigroup_multicast(service(args), groups(args), payload, message_type).await?
                }
            };
            Ok(json!({ "bytesSent": sent }))
        }
        "poll" => {
            let result = mailbox.poll().await?;
            Ok(json!({
                "bufferedEvents": result.buffered_events,
                "waitingEvents": result.waiting_events,
                "waitingBytes": result.waiting_bytes,
                "state": result.state.as_str(),
            }))
        }
        "acknowledge" => {
            let up_to = number(args, "sequence").unwrap_or_else(|| mailbox.last_sequence());
            Ok(json!({ "acknowledgedSequence": mailbox.acknowledge(up_to).await? }))
        }
        "view" => {
            let current = mailbox.view(group).await?;
            Ok(json!({ "view": to_view(&current.view), "inTransition": current.in_transition }))
        }
        "info" => {
            let info = mailbox.info().await?;
            Ok(json!({
                "privateGroup": info.private_group,
                "state": info.state.as_str(),
                "daemon": info.daemon,
                "membership": info.membership,
                "acknowledgement": info.acknowledgement.as_str(),
                "groups": info.groups,
                "receiverAttached": info.receiver_attached,
                "lastSequence": info.last_sequence,
                "deliveredSequence": info.delivered_sequence,
                "acknowledgedSequence": info.acknowledged_sequence,
                "waitingEvents": info.waiting_events,
                "waitingBytes": info.waiting_bytes,
                "messagesSent": info.messages_sent,
                "payloadBytesSent": info.payload_bytes_sent,
            }))
        }
        "state" => Ok(json!({ "privateGroup": mailbox.private_group(), "lastSequence": mailbox.last_sequence() })),
        "notices" => Ok(json!({ "notices": *notices.lock().unwrap() })),
        _ => Err(unknown(op)),
    }
}

async fn receive(mailbox: &Mailbox, args: &Value) -> Answer {
    let mut events = Vec::new();
    let mut end = Value::Null;
    let count = times(args, "count") as usize;
    let receiving = async {
        while events.len() < count {
            match mailbox.receive().await {
                Ok(event) => events.push(to_event(&event)),
                Err(error) => {
                    end = without_kind(&error);
                    return;
                }
            }
        }
    };
    let timed_out = match millis(args, "timeoutMs") {
        Some(timeout) => tokio::time::timeout(timeout, receiving).await.is_err(),
        None => {
            receiving.await;
            false
        }
    };
    Ok(json!({ "events": events, "timedOut": timed_out, "end": end }))
}

async fn on_sender(open: OpenSender, op: &str, args: &Value) -> Answer {
    let OpenSender { sender, refusals } = open;
    match op {
        "send" => {
            let (service, groups) = (service(args), groups(args));
            let (payload, message_type) = (payload(args)?, message_type(args)?);
            let with_headers = message_with_headers(args)?;
            in_time(args, async {
                for _ in 0..times(args, "times") {
                    match &with_headers {
                        Some(message) => sender.send_message(message).await?,
                        None => sender.send_multigroup(service, &groups, &payload, message_type).await?,
                    }
                }
                Ok(json!({}))
            })
            .await
        }
        "flush" => Ok(to_progress(in_time(args, sender.flush()).await?)),
        "closeSender" => Ok(to_progress(in_time(args, sender.close()).await?)),
        _ => {
            let mut state = to_progress(sender.progress());
            state["undecided"] = sender.undecided().len().into();
            state["refusals"] = json!(*refusals.lock().unwrap());
            Ok(state)
        }
    }
}

/// Counts the resources that a leak would increase.
fn resources() -> Value {
    let count = |folder: &str| std::fs::read_dir(folder).ok().map(Iterator::count);
    json!({
        "threads": count("/proc/self/task"),
        "descriptors": count("/proc/self/fd"),
        "tasks": tokio::runtime::Handle::current().metrics().num_alive_tasks(),
    })
}
