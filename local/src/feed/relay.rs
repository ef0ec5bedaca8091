//! Forwards the events of a feed to a program, one after the other in their order, and remembers how far it got.

use std::io;

use super::event::{EventError, FeedEvent};
use super::forward::{Attempt, Fate, Forwarder};
use super::position::{Position, PositionError};
use super::reader::Reader;
use crate::client::ClientError;

/// Why forwarding ended.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Position(#[from] PositionError),
    #[error(transparent)]
    Event(#[from] EventError),
    /// The attempt could not be shown.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// The program answered so that a deployment would disable its endpoint.
    #[error(
        "the program asked for no more events (410, or webhook-delivery: disable). A deployment disables the endpoint then"
    )]
    Disabled,
}

pub struct Relay {
    pub reader: Reader,
    pub position: Position,
    pub forwarder: Forwarder,
}

impl Relay {
    /// Forwards until something final happens. The position moves only behind events that are settled.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn run(
        &mut self,
        mut report: impl FnMut(&FeedEvent, &Attempt) -> io::Result<()>,
    ) -> Result<(), RelayError> {
        loop {
            let page = self.reader.next().await?;
            for event in &page.events {
                if !self.position.is_forwarded(&event.id) {
                    self.forward(event, &mut report).await?;
                }
            }
            self.position.advance(page.cursor())?;
            self.reader.advance(&page);
        }
    }

    async fn forward(
        &mut self,
        event: &FeedEvent,
        report: &mut impl FnMut(&FeedEvent, &Attempt) -> io::Result<()>,
    ) -> Result<(), RelayError> {
        let body = event.message()?;
        let mut shown = Ok(());
        let show = |attempt: &Attempt| {
            shown = report(event, attempt);
            shown.is_ok()
        };
        let fate = self.forwarder.forward(event.id.as_str(), &body, show).await;
        // First, so that a message that was accepted is not sent again because it could not be shown.
        if fate.is_some_and(|fate| fate != (Fate::Disabled { is_delivered: false })) {
            self.position.note(&event.id)?;
        }
        shown?;
        if matches!(fate, Some(Fate::Disabled { .. })) { Err(RelayError::Disabled) } else { Ok(()) }
    }
}
