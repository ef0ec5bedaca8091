//! Export of lists, page by page, as CSV or as one JSON document for each line.

mod columns;
mod error;
mod row;
mod source;

use std::io;

use domain::{CallerKind, PartnerId};
use platform::random::{Random, SystemRandom};
use serde_json::Value;
use serde_json::value::RawValue;

pub use self::columns::What;
pub use self::error::ExportError;
use self::row::{csv_row, json_row};
use self::source::{List, lists};
use crate::api::{Answer, Call};
use crate::client::{Client, ClientError, Pages, Retry};
use crate::csv;

/// The largest page that every policy allows.
const PAGE: u32 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// A JSON document for each line.
    Json,
}

/// Exports records of one kind.
pub struct Export<'a> {
    pub client: &'a Client,
    pub retry: Retry,
    pub what: What,
    pub format: Format,
    /// Only of this partner. Only an operator needs it.
    pub partner: Option<PartnerId>,
}

impl Export<'_> {
    /// Passes text to `write`, as it comes. Returns how many records there are.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn run(&self, mut write: impl FnMut(&str) -> io::Result<()>) -> Result<u64, ExportError> {
        let me = self.call(&Call::get("/v1/me")).await?;
        let caller = me.text("/kind").and_then(CallerKind::parse);
        let unknown = || ClientError::Unexpected("GET /v1/me has no kind".to_owned());
        let first = lists(
            self.what,
            caller.ok_or_else(unknown)?,
            me.text("/id"),
            self.partner.as_ref().map(PartnerId::as_str),
        )?;
        if self.format == Format::Csv {
            write(&csv::line(self.what.columns()))?;
        }
        let mut count = 0;
        match first {
            List::One { path, context } => count += self.list(path, &context, &mut write).await?,
            List::EachPartner => {
                let mut partners = pages("/v1/partners".to_owned());
                while let Some(page) = self.page(&mut partners).await? {
                    for partner in page {
                        let partner: Value = serde_json::from_str(partner.get()).unwrap_or_default();
                        let (path, context) = source::of_partner(self.what, partner["partner_id"].as_str());
                        count += self.list(path, &context, &mut write).await?;
                    }
                }
            }
        }
        Ok(count)
    }

    /// Writes a list. `context` has members that its records leave out because they are in the path.
    async fn list(
        &self,
        path: String,
        context: &[(&'static str, String)],
        write: &mut impl FnMut(&str) -> io::Result<()>,
    ) -> Result<u64, ExportError> {
        let (mut pages, mut count) = (pages(path), 0);
        while let Some(page) = self.page(&mut pages).await? {
            let mut text = String::new();
            for record in &page {
                text.push_str(&match self.format {
                    Format::Csv => csv_row(self.what, record, context),
                    Format::Json => json_row(record, context),
                });
            }
            write(&text)?;
            count += page.len() as u64;
        }
        Ok(count)
    }

    async fn page(&self, pages: &mut Pages<Box<RawValue>>) -> Result<Option<Vec<Box<RawValue>>>, ExportError> {
        let Some(call) = pages.call() else { return Ok(None) };
        let answer = self.call(&call).await?;
        Ok(Some(pages.read(&answer)?.items))
    }

    async fn call(&self, call: &Call) -> Result<Answer, ClientError> {
        let jitter = || f64::from(SystemRandom.bytes()[0]) / 255.0;
        self.client.call_retrying(call, &self.retry, jitter, |time, _| tokio::time::sleep(time)).await
    }
}

fn pages(path: String) -> Pages<Box<RawValue>> {
    Pages::new(path, vec![("limit", PAGE.to_string())], None)
}

#[cfg(test)]
mod tests;
