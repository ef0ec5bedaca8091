//! What the commands that follow the feed have in common: where to begin, and how they tell that they are offline or behind.

use std::convert::Infallible;
use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;

use local::client::{Client, ClientError};
use local::feed::pace::Pace;
use local::feed::reader::{Reader, Setting};
use local::feed::watch::Notice;
use platform::clock::SystemClock;
use platform::random::SystemRandom;

use crate::exit::UsageError;
use crate::output;

/// Where to begin in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Beginning,
    Now,
    Cursor(String),
}

impl FromStr for Start {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "start" => Self::Beginning,
            "now" => Self::Now,
            cursor => Self::Cursor(cursor.to_owned()),
        })
    }
}

/// A reader of the feed of the key's owner. It tells on standard error when it is offline or behind, and when that ends.
pub async fn reader(client: Client) -> Result<Reader, ClientError> {
    let notify = Box::new(|notice: &Notice| output::warn(notice));
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Reader::open(client, Setting { pace: Pace::default(), clock, random, notify }).await
}

/// Takes a reader to where it begins.
pub async fn begin(reader: &mut Reader, start: &Start) -> Result<(), Box<dyn Error>> {
    match start {
        Start::Beginning => reader.start_after(""),
        Start::Cursor(cursor) => reader.start_after(cursor),
        Start::Now => {
            let skipped = reader.skip_existing().await?;
            if skipped > 0 {
                output::warn(&format!("Waiting for new events. Skipped: {skipped}; --from start prints them too."));
            }
        }
    }
    Ok(())
}

/// Explains a cursor that the service does not accept.
pub fn explained(error: ClientError, cursor_of: &str, remedy: &str) -> Box<dyn Error> {
    if error.code() == Some("cursor_invalid") {
        let text = format!("{cursor_of} is not a cursor of this feed, or belongs to another key's owner. {remedy}");
        return Box::new(UsageError(text));
    }
    Box::new(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_word_or_a_cursor() {
        for (text, start) in
            [("start", Start::Beginning), ("now", Start::Now), ("Now", Start::Cursor("Now".to_owned()))]
        {
            assert_eq!(text.parse(), Ok(start));
        }
    }
}
