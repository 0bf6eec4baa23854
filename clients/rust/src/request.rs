//! Converts options to requests of the contract. Rejects only what the contract cannot represent;
//! the sidecar validates everything else.

use std::time::Duration;

use crate::contract;
use crate::options::*;
use crate::{AcknowledgementMode, OutgoingMessage, SpreadError};

pub(crate) fn duration(value: Duration, field: &str) -> Result<prost_types::Duration, SpreadError> {
    value.try_into().map_err(|_| SpreadError::field(field, "a duration of at most 10,000 years", format!("{value:?}")))
}

fn given(value: Option<Duration>, field: &str) -> Result<Option<prost_types::Duration>, SpreadError> {
    value.map(|value| duration(value, field)).transpose()
}

pub(crate) fn connect(options: &MailboxOptions) -> Result<contract::ConnectRequest, SpreadError> {
    let on_name_conflict = match options.on_name_conflict {
        NameConflict::Fail => contract::NameConflictPolicy::Fail,
        NameConflict::Suffix => contract::NameConflictPolicy::Suffix,
    };
    let acknowledgement = match options.acknowledgement {
        AcknowledgementMode::Auto => contract::Acknowledgement::Auto,
        AcknowledgementMode::Explicit => contract::Acknowledgement::Explicit,
    };
    let auth = options.auth.map(|method| {
        use contract::authentication::Method;
        let method = match method {
            AuthMethod::Null => Method::NullMethod(contract::NullAuthentication {}),
            AuthMethod::Ip => Method::IpMethod(contract::IpAuthentication {}),
        };
        contract::Authentication { method: Some(method) }
    });
    Ok(contract::ConnectRequest {
        daemon: options.spread_name.clone(),
        private_name: options.private_name.clone(),
        on_name_conflict: on_name_conflict.into(),
        priority: options.priority,
        membership: options.membership,
        auth,
        lease: given(options.lease, "lease")?,
        reconnect: options.reconnect.map(reconnect_policy).transpose()?,
        queue: options.queue.map(queue_limits).transpose()?,
        acknowledgement: acknowledgement.into(),
        end_with_connection: options.end_with_connection,
    })
}

fn reconnect_policy(options: ReconnectOptions) -> Result<contract::ReconnectPolicy, SpreadError> {
    let on_name_loss = match options.on_name_loss {
        None => contract::NameLossPolicy::Unspecified,
        Some(NameLoss::End) => contract::NameLossPolicy::End,
        Some(NameLoss::Suffix) => contract::NameLossPolicy::Suffix,
        Some(NameLoss::DaemonMade) => contract::NameLossPolicy::DaemonMade,
    };
    Ok(contract::ReconnectPolicy {
        enabled: true,
        give_up_after: given(options.give_up_after, "reconnect.giveUpAfter")?,
        on_name_loss: on_name_loss.into(),
        queue_multicasts: options.queue_multicasts,
    })
}

fn queue_limits(options: QueueOptions) -> Result<contract::QueueLimits, SpreadError> {
    let overflow = match options.overflow {
        None => contract::OverflowPolicy::Unspecified,
        Some(OverflowPolicy::Pause) => contract::OverflowPolicy::Pause,
        Some(OverflowPolicy::Disconnect) => contract::OverflowPolicy::Disconnect,
    };
    let soft_limit = options.soft_limit.map(soft_limit).transpose()?;
    Ok(contract::QueueLimits {
        max_events: options.max_events,
        max_bytes: options.max_bytes,
        replay_bytes: options.replay_bytes,
        overflow: overflow.into(),
        soft_limit,
    })
}

fn soft_limit(soft: SoftLimit) -> Result<contract::SoftLimit, SpreadError> {
    let fraction = soft.fraction.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&fraction) {
        return Err(SpreadError::field("queue.softLimit.fraction", "a number from 0 to 1", fraction));
    }
    Ok(contract::SoftLimit { fraction, time: given(soft.time, "queue.softLimit.time")? })
}

pub(crate) fn multicast(message: OutgoingMessage) -> Result<contract::MulticastMessage, SpreadError> {
    Ok(contract::MulticastMessage {
        service_type: message.service_type.to_contract()?,
        groups: message.groups,
        payload: message.payload,
        message_type: message.message_type,
        self_discard: message.service_type.is_self_discard(),
        headers: message.headers,
    })
}
