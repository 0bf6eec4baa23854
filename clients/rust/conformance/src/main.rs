//! The conformance driver of the Rust client. `test/conformance/README.md` describes its protocol.

mod args;
mod bench;
mod bench_raw;
mod ops;
mod plain;
mod request_reply;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ops::Things;
use crate::plain::Failure;

/// Maximum time to close everything.
const CLOSE_TIME: Duration = Duration::from_secs(4);

fn answer(line: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

/// One thread runs all requests, so that they start in order.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    answer(&json!({ "ready": true, "language": "rust", "version": spread_sidecar::CLIENT_VERSION }));
    let (give, mut lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if give.send(line).is_err() {
                return;
            }
        }
    });
    let things = Arc::new(Things::default());
    let running: Arc<Mutex<HashMap<u64, CancellationToken>>> = Arc::default();
    while let Some(line) = lines.recv().await {
        let Ok(request) = serde_json::from_str::<Value>(&line) else {
            answer(&json!({ "id": null, "error": Failure::Driver("the request can't be read".to_owned()).to_json() }));
            continue;
        };
        accept(request, things.clone(), running.clone());
    }
    tokio::time::timeout(CLOSE_TIME, things.close_all()).await.ok();
    // The thread that reads standard input may still be blocked.
    std::process::exit(0);
}

fn accept(request: Value, things: Arc<Things>, running: Arc<Mutex<HashMap<u64, CancellationToken>>>) {
    let id = request["id"].as_u64().unwrap_or(0);
    let op = request["op"].as_str().unwrap_or("").to_owned();
    let args = request["args"].clone();
    match op.as_str() {
        "cancel" => {
            let asked = running.lock().unwrap().get(&args["op"].as_u64().unwrap_or(0)).cloned();
            if let Some(cancel) = asked {
                cancel.cancel();
            }
            return answer(&json!({ "id": id, "ok": {} }));
        }
        // Opening makes no call, and later requests use the name of the opened object.
        "open" => return answer(&plain::to_answer(id, things.open(&args))),
        _ => {}
    }
    let cancel = CancellationToken::new();
    running.lock().unwrap().insert(id, cancel.clone());
    tokio::spawn(async move {
        let result = cancel.run_until_cancelled(things.carry_out(&op, &args)).await;
        running.lock().unwrap().remove(&id);
        answer(&plain::to_answer(id, result.unwrap_or(Err(Failure::Cancelled))));
    });
}
