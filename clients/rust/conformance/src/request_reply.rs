//! The requests about requests and replies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use spread_sidecar::*;

use crate::args::*;
use crate::plain::Failure;

type Answer = Result<Value, Failure>;

/// An object for requests and replies, with its services by group.
#[derive(Clone)]
pub struct OpenCalls {
    calls: RequestReply,
    services: Arc<Mutex<HashMap<String, Arc<RequestService>>>>,
}

pub async fn open(sidecar: Sidecar, args: &Value) -> Result<(OpenCalls, Value), Failure> {
    let calls = sidecar.open_request_reply(RequestReplyOptions::named(text(args, "privateName"))).await?;
    let answer = json!({ "privateGroup": calls.private_group() });
    Ok((OpenCalls { calls, services: Arc::default() }, answer))
}

pub async fn carry_out(open: OpenCalls, op: &str, args: &Value) -> Answer {
    let OpenCalls { calls, services } = open;
    let group = text(args, "group");
    match op {
        "serve" => {
            let service = serve(&calls, group, args).await?;
            services.lock().unwrap().insert(group.to_owned(), Arc::new(service));
            Ok(json!({}))
        }
        "stopServing" => {
            let service = services.lock().unwrap().remove(group);
            let Some(service) = service else { return Err(Failure::Driver(format!("{group} is not served"))) };
            service.stop().await?;
            Ok(json!({}))
        }
        "request" => request(&calls, args).await,
        "requestStatistics" => {
            let RequestStatistics { open, late_replies, duplicate_replies, .. } = calls.statistics();
            Ok(json!({ "open": open, "lateReplies": late_replies, "duplicateReplies": duplicate_replies }))
        }
        _ => {
            calls.close().await?;
            Ok(json!({}))
        }
    }
}

async fn serve(calls: &RequestReply, group: &str, args: &Value) -> Result<RequestService, Failure> {
    let mut options = ServeOptions::new();
    if let Some(handlers) = number(args, "concurrency") {
        options = options.concurrency(handlers as usize);
    }
    if let Some(requests) = number(args, "maxQueued") {
        options = options.max_queued(requests as usize);
    }
    let behaviour = text(args, "behaviour").to_owned();
    let handler = move |request: IncomingRequest| {
        let behaviour = behaviour.clone();
        async move {
            match behaviour.as_str() {
                "echo" => Ok(HandlerReply::new(request.payload).header("served", "yes")),
                "fail" => Err("it failed"),
                _ => std::future::pending().await,
            }
        }
    };
    Ok(calls.serve(group, handler, options).await?)
}

async fn request(calls: &RequestReply, args: &Value) -> Answer {
    let mut options = RequestOptions::new();
    if text(args, "replies") == "all" {
        options = options.all_replies();
    } else if let Some(replies) = number(args, "replies") {
        options = options.replies(replies as usize);
    }
    if let Some(ms) = args["timeoutMs"].as_f64() {
        options = options.timeout(Duration::from_secs_f64(ms / 1000.0));
    }
    for (name, value) in args["headers"].as_object().into_iter().flatten() {
        options = options.header(name, value.as_str().unwrap_or(""));
    }
    let result = calls.request(text(args, "target"), payload(args)?, options).await?;
    let replies: Vec<_> = result
        .replies
        .iter()
        .map(|reply| {
            json!({
                "sender": reply.sender,
                "payload": BASE64_STANDARD.encode(&reply.payload),
                "headers": reply.headers,
                "error": reply.error,
            })
        })
        .collect();
    Ok(json!({
        "replies": replies,
        "left": result.left,
        "overloaded": result.overloaded,
        "missing": result.missing,
        "timedOut": result.timed_out,
        "complete": result.complete,
    }))
}
