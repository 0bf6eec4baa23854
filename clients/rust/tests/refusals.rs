//! Calls that the client rejects, without a sidecar.

use std::error::Error;
use std::time::Duration;

use spread_sidecar::*;

fn refused(builder: SidecarBuilder) -> SpreadError {
    builder.build().unwrap_err()
}

#[tokio::test]
async fn a_token_is_sent_only_on_private_channels() {
    for target in ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/x"] {
        Sidecar::builder(target).token("t").build().unwrap();
    }
    let error = refused(Sidecar::builder("10.0.0.1:1").token("t"));
    assert_eq!((error.reason(), error.metadata()["field"].as_str()), ("FIELD_INVALID", "token"));
    let error = refused(Sidecar::builder("10.0.0.1:1").header("Authorization", "Bearer t"));
    assert_eq!(error.metadata()["field"], "headers.authorization");
    Sidecar::builder("10.0.0.1:1").token("t").insecure(true).build().unwrap();
    Sidecar::builder("10.0.0.1:1").token("t").tls(Tls::new()).build().unwrap();
    let open = Sidecar::new("10.0.0.1:1").unwrap();
    assert_eq!(open.list(Some("admin")).await.unwrap_err().metadata()["field"], "adminToken");
}

#[tokio::test]
async fn a_token_that_can_not_be_had_is_not_sent() {
    let ask = || async { Err::<String, _>("the vault is sealed".into()) };
    let sidecar = Sidecar::builder("127.0.0.1:1").token_source(ask).build().unwrap();
    let error = sidecar.version().await.unwrap_err();
    assert_eq!((error.status(), error.outcome()), (StatusCode::Unauthenticated, Some(Outcome::NotSent)));
    assert_eq!(error.source().unwrap().to_string(), "the vault is sealed");
    let sidecar = Sidecar::builder("127.0.0.1:1").token("two\nlines").build().unwrap();
    assert_eq!(sidecar.version().await.unwrap_err().status(), StatusCode::Unauthenticated);
}

#[tokio::test]
async fn invalid_options_are_rejected() {
    let error = refused(Sidecar::builder("127.0.0.1:1").connection_keep_alive(Duration::ZERO));
    assert_eq!(error.metadata()["field"], "connectionKeepAlive");
    let error = refused(Sidecar::builder("127.0.0.1:1").tls(Tls::new().ca("nothing")));
    assert_eq!(error.metadata()["field"], "tls.ca");
    let error = refused(Sidecar::builder("127.0.0.1:1").header("a b", "c"));
    assert_eq!(error.metadata()["field"], "headers");
    let sidecar = Sidecar::new("127.0.0.1:1").unwrap();
    let soft = SoftLimit { fraction: Some(2.0), time: None };
    let options = MailboxOptions::new().queue(QueueOptions::new().soft_limit(soft));
    assert_eq!(sidecar.connect(options).await.unwrap_err().metadata()["field"], "queue.softLimit.fraction");
}

#[test]
fn a_channel_needs_a_runtime() {
    assert_eq!(refused(Sidecar::builder("127.0.0.1:1")).metadata()["field"], "runtime");
}

#[tokio::test]
async fn an_unreachable_target_is_unavailable() {
    let sidecar = Sidecar::new("127.0.0.1:1").unwrap();
    let error = sidecar.version().await.unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (StatusCode::Unavailable, ErrorKind::Sidecar(Reason::SidecarUnreachable))
    );
    assert!(error.is_retryable() && error.message().contains("refused"), "{error}");
    let missing = Sidecar::new("unix:/nowhere/at/all").unwrap();
    assert_eq!(missing.version().await.unwrap_err().status(), StatusCode::Unavailable);
    let wait = sidecar.with_timeout(Duration::from_millis(200)).wait_for_ready().await.unwrap_err();
    assert_eq!(wait.kind(), ErrorKind::Sidecar(Reason::DeadlineExceeded));
}

#[test]
fn type_words_are_told_apart() {
    let word = Service::AGREED_MESS | Service::SELF_DISCARD;
    assert_eq!((word.name(), word.to_string().as_str()), (Some("AGREED"), "AGREED|SELF_DISCARD"));
    assert!(word.is_regular_mess() && word.is_self_discard() && !word.is_safe_mess());
    assert!(!(word | Service::REJECT_MESS).is_regular_mess());
    assert!(Service::CAUSED_BY_LEAVE.is_self_leave());
    assert!(!(Service::CAUSED_BY_LEAVE | Service::REG_MEMB_MESS).is_self_leave());
    assert_eq!(Code::from_name("ILLEGAL_GROUP").map(Code::number), Some(-14));
    assert_eq!(Code::from_number(-6), Some(Code::RejectNotUnique));
}
