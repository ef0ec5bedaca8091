//! Reads the feed page by page, and goes on after everything that can pass: a restart of the server, a lost network, sleep.

use std::sync::Arc;
use std::time::Duration;

use domain::CallerKind;
use platform::clock::Clock;
use platform::handler::views::MeView;
use platform::random::Random;
use platform::serde::Deserialize;
use serde_json::value::RawValue;

use super::event::FeedEvent;
use super::pace::Pace;
use super::watch::{Notice, Polled, Watch};
use crate::api::{Answer, Call};
use crate::client::{Client, ClientError, path, view, with_query};

/// The most events of a page that the service returns.
const LIMIT: &str = "100";

/// How a reader waits, and what it tells.
pub struct Setting {
    pub pace: Pace,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Called with what a person should know.
    pub notify: Box<dyn Fn(&Notice) + Send>,
}

/// A reader of one feed.
pub struct Reader {
    client: Client,
    feed: String,
    owner: String,
    after: String,
    watch: Watch,
    setting: Setting,
}

/// Some events, oldest first, and the cursor behind them.
#[derive(Debug)]
pub struct Page {
    pub events: Vec<FeedEvent>,
    cursor: String,
}

/// The response as it is read. Events keep their own bytes.
#[derive(Deserialize)]
#[serde(crate = "platform::serde")]
struct Response {
    items: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

impl Page {
    pub fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl Reader {
    /// A reader of the feed of the key's owner, from its start. Waits until the service answers.
    ///
    /// # Errors
    /// [`ClientError`] if the service rejects the key.
    pub async fn open(client: Client, setting: Setting) -> Result<Self, ClientError> {
        let watch = Watch::new(setting.pace);
        let (feed, owner, after) = (String::new(), String::new(), String::new());
        let mut reader = Self { client, feed, owner, after, watch, setting };
        let me: MeView = loop {
            if let Some(answer) = reader.ask(&Call::get("/v1/me")).await? {
                break view(&answer)?;
            }
        };
        // It ends a time offline.
        reader.note(Polled::More);
        let id = me.id.unwrap_or_default();
        reader.feed = match me.kind {
            CallerKind::Partner => path("/v1/partners/{partner_id}/events", &[&id]),
            CallerKind::Customer => path("/v1/customers/{tenant_id}/events", &[&id]),
            _ => "/v1/events".to_owned(),
        };
        reader.owner = if id.is_empty() { me.kind.to_string() } else { id };
        Ok(reader)
    }

    /// Whose feed it is: a partner's id, a tenant id, or `operator`.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The address of the deployment.
    pub fn url(&self) -> &str {
        self.client.address().as_str()
    }

    /// The cursor behind everything that was read; empty at the start.
    pub fn cursor(&self) -> &str {
        &self.after
    }

    /// Continues behind this cursor.
    pub fn start_after(&mut self, cursor: &str) {
        cursor.clone_into(&mut self.after);
    }

    /// Continues behind the events that exist now. Returns how many were skipped.
    ///
    /// # Errors
    /// [`ClientError`] if the service rejects the key or the cursor.
    pub async fn skip_existing(&mut self) -> Result<u64, ClientError> {
        let mut skipped = 0;
        loop {
            match self.look().await? {
                Look::Page(page) => {
                    skipped += page.events.len() as u64;
                    self.advance(&page);
                }
                Look::More => {}
                Look::Nothing(_) => return Ok(skipped),
            }
        }
    }

    /// The next events, as soon as there are some. Until [`Reader::advance`], the same events come again.
    ///
    /// # Errors
    /// [`ClientError`] if the service rejects the key or the cursor, or returns what is no feed.
    pub async fn next(&mut self) -> Result<Page, ClientError> {
        loop {
            match self.look().await? {
                Look::Page(page) => return Ok(page),
                Look::More => {}
                Look::Nothing(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Continues behind a page.
    pub fn advance(&mut self, page: &Page) {
        page.cursor.clone_into(&mut self.after);
    }

    /// Reads once, however long that takes.
    async fn look(&mut self) -> Result<Look, ClientError> {
        let parameters = [("after", self.after.clone()), ("limit", LIMIT.to_owned())];
        let call = Call::get(with_query(self.feed.clone(), &parameters));
        loop {
            let Some(answer) = self.ask(&call).await? else { continue };
            match read(&answer) {
                Ok((events, cursor)) => return Ok(self.looked(events, cursor)),
                Err(reason) => {
                    // A network that wants a person to sign in answers for the service.
                    let polled = Polled::Failed { reason, retry_after: None };
                    let wait = self.note(polled);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    fn looked(&mut self, events: Vec<FeedEvent>, cursor: Option<String>) -> Look {
        let cursor = cursor.unwrap_or_else(|| self.after.clone());
        if let Some(last) = events.last() {
            self.note(Polled::Events { last: last.occurred_at });
            return Look::Page(Page { events, cursor });
        }
        if cursor != self.after {
            self.after = cursor;
            self.note(Polled::More);
            return Look::More;
        }
        Look::Nothing(self.note(Polled::Nothing))
    }

    /// Sends a call. `None` after a failure that can pass, and after the wait for it.
    async fn ask(&mut self, call: &Call) -> Result<Option<Answer>, ClientError> {
        let error = match self.client.call(call).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let is_passing = error.is_retryable() || error.rejection().is_some_and(|rejection| rejection.status >= 500);
        if !is_passing {
            return Err(error);
        }
        let polled = Polled::Failed { reason: error.to_string(), retry_after: error.retry_after() };
        let wait = self.note(polled);
        tokio::time::sleep(wait).await;
        Ok(None)
    }

    fn note(&mut self, polled: Polled) -> Duration {
        let (wait, notices) = self.watch.note(polled, self.setting.clock.now(), &self.setting.random.bytes());
        notices.iter().for_each(|notice| (self.setting.notify)(notice));
        wait
    }
}

/// The result of reading once.
enum Look {
    Page(Page),
    /// Nothing in this part, and more to read.
    More,
    /// Nothing new, and how long to wait.
    Nothing(Duration),
}

/// The events of a response, and its cursor. A person reads the error.
fn read(answer: &Answer) -> Result<(Vec<FeedEvent>, Option<String>), String> {
    let response: Response = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("the response is not a page of events: {error}"))?;
    let events = response.items.into_iter().map(FeedEvent::read).collect::<Result<Vec<_>, _>>();
    let events = events.map_err(|error| error.to_string())?;
    if !events.is_empty() && response.next_cursor.is_none() {
        return Err("the response has events and no cursor".to_owned());
    }
    Ok((events, response.next_cursor))
}
