//! Requests and replies with a real sidecar.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{group, target, until};
use spread_sidecar::*;
use tokio::sync::Semaphore;

/// Objects at one sidecar.
async fn start<const N: usize>(target: &str) -> (Sidecar, [RequestReply; N]) {
    let sidecar = Sidecar::new(target).unwrap();
    let mut calls = Vec::new();
    for _ in 0..N {
        calls.push(sidecar.open_request_reply(RequestReplyOptions::new()).await.unwrap());
    }
    (sidecar, calls.try_into().unwrap())
}

async fn serve_upper(calls: &RequestReply, group: &str) -> RequestService {
    let handler = async |text: String| text.to_uppercase();
    calls.serve(group, move |request| handler(request.text()), ServeOptions::new()).await.unwrap()
}

/// Serves a group with a handler that never returns. Counts its requests.
async fn serve_never(calls: &RequestReply, group: &str) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let handler = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Vec<u8>>()
    };
    calls.serve(group, handler, ServeOptions::new()).await.unwrap();
    asked
}

fn all() -> RequestOptions {
    RequestOptions::new().all_replies().timeout(Duration::from_secs(10))
}

fn brief() -> RequestOptions {
    RequestOptions::new().timeout(Duration::from_millis(50))
}

fn replies(result: &Replies) -> Vec<(String, String)> {
    let mut replies: Vec<_> = result.replies.iter().map(|reply| (reply.sender.clone(), reply.text())).collect();
    replies.sort();
    replies
}

#[tokio::test]
async fn a_request_gets_one_reply_by_default() {
    let Some(target) = target() else { return };
    let (sidecar, [client, server]) = start(&target).await;
    let group = group("one");
    let handler = async |request: IncomingRequest| {
        let name = &request.headers["name"];
        let text = format!("{} {} {} {name} {}", request.text(), request.sender, request.group, request.message_type);
        HandlerReply::new(text).header(header::CONTENT_TYPE, "text/plain")
    };
    server.serve(&group, handler, ServeOptions::new()).await.unwrap();
    let options = RequestOptions::new().header("name", "x").message_type(7);
    let result = client.request(&group, "hello", options).await.unwrap();
    assert!(result.complete);
    assert_eq!(result.replies[0].headers[header::CONTENT_TYPE], "text/plain");
    let text = format!("hello {} {group} x 7", client.private_group());
    assert_eq!(replies(&result), [(server.private_group(), text)]);
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_request_gets_the_replies_of_all_members_also_of_the_requester() {
    let Some(target) = target() else { return };
    let (sidecar, [a, b, other]) = start(&target).await;
    let group = group("all");
    serve_upper(&a, &group).await;
    serve_upper(&b, &group).await;
    // A member that does not serve the group answers at once.
    other.request(&group, "joins the group", all()).await.unwrap();
    let result = a.request(&group, "x", all()).await.unwrap();
    assert!(result.complete && !result.timed_out && result.missing.is_empty());
    let mut expected = [(a.private_group(), "X".to_owned()), (b.private_group(), "X".to_owned())];
    expected.sort();
    assert_eq!(replies(&result), expected);
    let result = client_of_private_group(&a, &b).await;
    assert_eq!(replies(&result), [(b.private_group(), "X".to_owned())]);
    sidecar.close().await.unwrap();
}

async fn client_of_private_group(client: &RequestReply, server: &RequestReply) -> Replies {
    client.request(&server.private_group(), "x", RequestOptions::new()).await.unwrap()
}

#[tokio::test]
async fn a_request_reports_a_member_that_leaves_at_once() {
    let Some(target) = target() else { return };
    let (sidecar, [client, b, leaving]) = start(&target).await;
    let group = group("leaving");
    serve_upper(&b, &group).await;
    let asked = serve_never(&leaving, &group).await;
    let (to_group, options) = (group.clone(), all().timeout(Duration::from_secs(60)));
    let asking = client.clone();
    let result = tokio::spawn(async move { asking.request(&to_group, "x", options).await });
    until("the member has the request", || asked.load(Ordering::SeqCst) == 1).await;
    let to = leaving.private_group();
    let asking = client.clone();
    let private = tokio::spawn(async move { asking.request(&to, "x", all().timeout(Duration::from_secs(60))).await });
    until("both requests are open", || client.statistics().open == 2).await;
    leaving.close().await.unwrap();
    let in_time = async |result| tokio::time::timeout(Duration::from_secs(20), result).await;
    let result = in_time(result).await.expect("in time").unwrap().unwrap();
    assert_eq!(result.left, [leaving.private_group()]);
    assert_eq!((result.replies.len(), result.complete, result.timed_out), (1, false, false));
    let private = in_time(private).await.expect("in time").unwrap().unwrap();
    assert_eq!((private.left, private.complete), (vec![leaving.private_group()], false));
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_request_ends_with_its_timeout() {
    let Some(target) = target() else { return };
    let (sidecar, [client, server]) = start(&target).await;
    let group = group("late");
    let result = client.request(&group, "nobody is there", brief()).await.unwrap();
    assert!(result.timed_out && result.replies.is_empty() && result.missing.is_empty());
    serve_never(&server, &group).await;
    let result = client.request(&group, "x", all().timeout(Duration::from_millis(100))).await.unwrap();
    assert_eq!(result.missing, [server.private_group()]);
    assert!(result.timed_out && !result.complete);
    assert_eq!(client.statistics().open, 0);
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_request_reports_the_failure_of_a_handler() {
    let Some(target) = target() else { return };
    let (sidecar, [client, server]) = start(&target).await;
    let group = group("failing");
    let handler = async |request: IncomingRequest| match request.text().as_str() {
        "panic" => panic!("as requested"),
        "long" => Ok(vec![0; 200_000]),
        _ => Err(format!("it failed: {}", "ä".repeat(1000))),
    };
    server.serve(&group, handler, ServeOptions::new()).await.unwrap();
    let error_of = async |payload: &'static str| {
        let result = client.request(&group, payload, RequestOptions::new()).await.unwrap();
        assert!(result.replies[0].payload.is_empty());
        result.replies[0].error.clone().unwrap()
    };
    assert_eq!(error_of("fail").await, format!("it failed: {}", "ä".repeat(494)));
    assert_eq!(error_of("panic").await, "the handler panicked");
    assert!(error_of("long").await.contains("143"));
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_request_fails_if_it_cannot_be_sent() {
    let Some(target) = target() else { return };
    let (sidecar, [client]) = start(&target).await;
    let error = client.request("g", vec![0; 200_000], RequestOptions::new()).await.unwrap_err();
    assert_eq!((error.reason(), error.outcome()), ("MESSAGE_TOO_LONG", Some(Outcome::NotSent)));
    for options in [RequestOptions::new().replies(0), RequestOptions::new().timeout(Duration::ZERO)] {
        let error = client.request("g", "x", options).await.unwrap_err();
        assert_eq!(error.sidecar_reason(), Some(Reason::FieldInvalid));
    }
    let dropped = client.request("nobody", "x", RequestOptions::new());
    assert!(tokio::time::timeout(Duration::from_millis(50), dropped).await.is_err());
    assert_eq!(client.statistics().open, 0);
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_service_handles_requests_in_order_and_may_make_requests_itself() {
    let Some(target) = target() else { return };
    let (sidecar, [client, front, back]) = start(&target).await;
    let (to_front, to_back) = (group("front"), group("back"));
    serve_upper(&back, &to_back).await;
    let running = Arc::new(AtomicUsize::new(0));
    let order: Arc<Mutex<Vec<String>>> = Arc::default();
    let (asking, done) = (front.clone(), order.clone());
    let handler = move |request: IncomingRequest| {
        let (front, to_back, running, done) = (asking.clone(), to_back.clone(), running.clone(), done.clone());
        async move {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
            let text = request.text();
            let result = front.request(&to_back, request.payload, RequestOptions::new()).await?;
            running.fetch_sub(1, Ordering::SeqCst);
            done.lock().unwrap().push(text);
            Ok::<_, SpreadError>(result.replies[0].payload.clone())
        }
    };
    front.serve(&to_front, handler, ServeOptions::new()).await.unwrap();
    let requests: Vec<_> = (0..20)
        .map(|number| {
            let (client, to_front) = (client.clone(), to_front.clone());
            tokio::spawn(async move { client.request(&to_front, format!("p{number}"), RequestOptions::new()).await })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        assert_eq!(request.await.unwrap().unwrap().replies[0].text(), format!("P{number}"));
    }
    let expected: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_service_rejects_requests_when_too_many_wait() {
    let Some(target) = target() else { return };
    let (sidecar, [client, server]) = start(&target).await;
    let group = group("full");
    let may_finish = Arc::new(Semaphore::new(0));
    let waiting = may_finish.clone();
    let handler = move |_| {
        let waiting = waiting.clone();
        async move {
            waiting.acquire().await.unwrap().forget();
            "done"
        }
    };
    server.serve(&group, handler, ServeOptions::new().max_queued(1)).await.unwrap();
    let mut requests = Vec::new();
    for number in 1..=2 {
        let (client, group) = (client.clone(), group.clone());
        requests.push(tokio::spawn(async move { client.request(&group, "x", all()).await }));
        until("the request is open", || requests.len() == number).await;
    }
    until("two requests are open", || client.statistics().open == 2).await;
    let rejected = client.request(&group, "x", all()).await.unwrap();
    assert_eq!((rejected.overloaded, rejected.complete), (vec![server.private_group()], false));
    may_finish.add_permits(2);
    for request in requests {
        assert!(request.await.unwrap().unwrap().complete);
    }
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn a_service_leaves_the_group_when_it_stops() {
    let Some(target) = target() else { return };
    let (sidecar, [client, server]) = start(&target).await;
    let group = group("stopping");
    let service = serve_upper(&server, &group).await;
    let twice = server.serve(&group, async |_| "x", ServeOptions::new()).await.unwrap_err();
    assert_eq!(twice.metadata()["field"], "group");
    assert!(client.request(&group, "x", all()).await.unwrap().complete);
    service.stop().await.unwrap();
    let result = client.request(&group, "x", all()).await.unwrap();
    assert_eq!((result.replies.len(), result.left.len(), result.missing.len()), (0, 0, 0));
    server.serve(&group, async |_| "again", ServeOptions::new()).await.unwrap();
    let result = client.request(&group, "x", all()).await.unwrap();
    assert_eq!(replies(&result), [(server.private_group(), "again".to_owned())]);
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn late_and_repeated_replies_are_counted_and_other_events_are_passed_on() {
    let Some(target) = target() else { return };
    let sidecar = Sidecar::new(target).unwrap();
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let seen = events.clone();
    let options = RequestReplyOptions::new().on_event(move |event| seen.lock().unwrap().push(event));
    let client = sidecar.open_request_reply(options).await.unwrap();
    let other = sidecar.connect(common::quiet()).await.unwrap();
    let group = group("late");
    other.join(&group).await.unwrap();
    let (asking, to_group) = (client.clone(), group.clone());
    let options = RequestOptions::new().replies(2).timeout(Duration::from_secs(1));
    let requested = tokio::spawn(async move { asking.request(&to_group, "x", options).await });
    let Event::Regular(request) = other.receive().await.unwrap() else { panic!("a request was expected") };
    let id = &request.headers[header::CORRELATION_ID];
    assert_eq!((id.len(), id.split_once('-').unwrap().0.len()), (18, 16));
    let reply = OutgoingMessage::new(Service::AGREED_MESS, [&request.headers[header::REPLY_TO]], "y")
        .header(header::CORRELATION_ID, id);
    for _ in 0..2 {
        other.multicast_message(reply.clone()).await.unwrap();
    }
    assert_eq!(requested.await.unwrap().unwrap().replies.len(), 1);
    other.multicast_message(reply.clone()).await.unwrap();
    until("a late reply", || client.statistics().late_replies == 1).await;
    let RequestStatistics { open, duplicate_replies, .. } = client.statistics();
    assert_eq!((open, duplicate_replies), (0, 1));
    assert!(events.lock().unwrap().is_empty());
    other.multicast(Service::AGREED_MESS, &client.private_group(), "not a request", 0).await.unwrap();
    until("the other message", || events.lock().unwrap().len() == 1).await;
    sidecar.close().await.unwrap();
}

#[tokio::test]
async fn closing_ends_open_requests_handlers_and_tasks() {
    let Some(target) = target() else { return };
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for closes_sidecar in [false, true] {
        let (sidecar, [client, server]) = start(&target).await;
        let group = group("closing");
        let asked = serve_never(&server, &group).await;
        let asking = client.clone();
        let requested = tokio::spawn(async move { asking.request(&group, "x", RequestOptions::new()).await });
        until("the handler runs", || asked.load(Ordering::SeqCst) == 1).await;
        if !closes_sidecar {
            client.close().await.unwrap();
            server.close().await.unwrap();
        }
        sidecar.close().await.unwrap();
        let error = requested.await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.outcome()), (Some(Code::IllegalSession), Some(Outcome::Unknown)));
        let error = client.request("nobody", "x", RequestOptions::new()).await.unwrap_err();
        assert_eq!((error.code(), error.outcome()), (Some(Code::IllegalSession), Some(Outcome::NotSent)));
        until("the tasks have ended", || tasks() == before).await;
    }
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_mailbox() {
    let Some(target) = target() else { return };
    let (sidecar, [client, dropped]) = start(&target).await;
    let group = group("dropped");
    let asked = serve_never(&dropped, &group).await;
    let asking = client.clone();
    let requested = tokio::spawn(async move { asking.request(&group, "x", all()).await });
    until("the handler runs", || asked.load(Ordering::SeqCst) == 1).await;
    let name = dropped.private_group();
    drop(dropped);
    assert_eq!(requested.await.unwrap().unwrap().left, [name]);
    sidecar.close().await.unwrap();
}
