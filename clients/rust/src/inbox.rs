//! The received events that the application did not take yet. After the end, the remaining events
//! are still available. Each later call gets the error that ended the mailbox.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::{Event, SpreadError};

pub(crate) struct Inbox {
    max_events: usize,
    max_bytes: usize,
    state: Mutex<State>,
    roomy: Notify,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    bytes: usize,
    ended: bool,
    error: Option<SpreadError>,
    /// The tasks that wait for an event. A task that stopped waiting is woken once without effect.
    wakers: Vec<Waker>,
}

impl State {
    fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event.size();
        Some(event)
    }
}

impl Inbox {
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { max_events, max_bytes, state: Mutex::default(), roomy: Notify::new() }
    }

    /// Adds events; a batch is never split.
    pub fn push(&self, events: &mut Vec<Event>) {
        let mut state = self.state.lock().unwrap();
        if state.ended {
            events.clear();
            return;
        }
        state.bytes += events.iter().map(Event::size).sum::<usize>();
        state.events.extend(events.drain(..));
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends the inbox, with an error or, at the application's request, without one.
    pub fn end(&self, error: Option<SpreadError>) {
        let mut state = self.state.lock().unwrap();
        if state.ended {
            return;
        }
        state.ended = true;
        state.error = error;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.roomy.notify_waiters();
    }

    pub fn len(&self) -> usize {
        self.state.lock().unwrap().events.len()
    }

    /// Whether the application requested the end and no event is left.
    pub fn is_over(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.ended && state.error.is_none() && state.events.is_empty()
    }

    /// Whether the receiver should pause.
    pub fn is_full(&self) -> bool {
        self.exceeds(&self.state.lock().unwrap(), 1)
    }

    fn exceeds(&self, state: &State, part: usize) -> bool {
        !state.ended && (state.events.len() >= (self.max_events / part).max(1) || state.bytes >= self.max_bytes / part)
    }

    /// Waits until half of each limit is free, so that the receiver does not pause after each
    /// event.
    pub async fn room(&self) {
        loop {
            let mut roomy = std::pin::pin!(self.roomy.notified());
            roomy.as_mut().enable();
            if !self.exceeds(&self.state.lock().unwrap(), 2) {
                return;
            }
            roomy.await;
        }
    }

    /// The next event, or the error that ended the mailbox.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<Event, SpreadError>> {
        let mut state = self.state.lock().unwrap();
        if let Some(event) = state.take() {
            self.tell_room(&state);
            return Poll::Ready(Ok(event));
        }
        if state.ended {
            return Poll::Ready(Err(state.error.clone().unwrap_or_else(SpreadError::disconnected)));
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Appends the available events, until `events` has `most` elements.
    pub fn take_more(&self, events: &mut Vec<Event>, most: usize) {
        let mut state = self.state.lock().unwrap();
        while events.len() < most {
            let Some(event) = state.take() else { break };
            events.push(event);
        }
        self.tell_room(&state);
    }

    fn tell_room(&self, state: &State) {
        if !self.exceeds(state, 2) {
            self.roomy.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventInfo, SelfLeaveMessage};
    use std::future::poll_fn;
    use std::sync::Arc;

    fn event(sequence: u64) -> Event {
        Event::SelfLeave(SelfLeaveMessage { info: EventInfo { sequence, received_at: None }, group: "g".to_owned() })
    }

    #[tokio::test]
    async fn gives_what_is_in_it_and_then_its_end_to_everybody() {
        let inbox = Inbox::new(10, 1000);
        inbox.push(&mut vec![event(1), event(2)]);
        inbox.end(None);
        inbox.push(&mut vec![event(3)]);
        assert!(!inbox.is_over());
        for sequence in [1, 2] {
            assert_eq!(poll_fn(|cx| inbox.poll_take(cx)).await.unwrap().sequence(), sequence);
        }
        assert!(inbox.is_over());
        for _ in 0..2 {
            assert_eq!(poll_fn(|cx| inbox.poll_take(cx)).await.unwrap_err().number(), Some(-11));
        }
    }

    #[tokio::test]
    async fn has_room_again_when_half_of_it_is_free() {
        let inbox = Arc::new(Inbox::new(4, 1 << 20));
        inbox.push(&mut (1..=4).map(event).collect());
        assert!(inbox.is_full());
        let waiting = tokio::spawn({
            let inbox = inbox.clone();
            async move { inbox.room().await }
        });
        for _ in 0..2 {
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            poll_fn(|cx| inbox.poll_take(cx)).await.unwrap();
        }
        poll_fn(|cx| inbox.poll_take(cx)).await.unwrap();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn loses_nothing_when_a_wait_is_given_up() {
        let inbox = Inbox::new(4, 1 << 20);
        tokio::select! {
            biased;
            _ = poll_fn(|cx| inbox.poll_take(cx)) => unreachable!(),
            () = std::future::ready(()) => {}
        }
        inbox.push(&mut vec![event(1)]);
        assert_eq!(poll_fn(|cx| inbox.poll_take(cx)).await.unwrap().sequence(), 1);
    }
}
