//! Lists, page by page.

use std::marker::PhantomData;

use platform::handler::views::PageView;
use serde::de::DeserializeOwned;

use super::{Client, ClientError, view, with_query};
use crate::api::{Answer, Call};

/// The pages of a list, from the first one or from a cursor.
pub struct Pages<T> {
    path: String,
    parameters: Vec<(&'static str, String)>,
    cursor: Option<String>,
    is_done: bool,
    items: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Pages<T> {
    /// `path` has no query. `parameters` are all but the cursor.
    pub fn new(path: String, parameters: Vec<(&'static str, String)>, cursor: Option<String>) -> Self {
        Self { path, parameters, cursor, is_done: false, items: PhantomData }
    }

    /// The call for the next page; `None` after the last page. A caller that retries calls sends it, and then passes the answer
    /// to [`Pages::read`].
    pub fn call(&self) -> Option<Call> {
        let cursor = self.cursor.clone().map(|cursor| ("cursor", cursor));
        let parameters: Vec<_> = self.parameters.iter().cloned().chain(cursor).collect();
        (!self.is_done).then(|| Call::get(with_query(self.path.clone(), &parameters)))
    }

    /// Reads a page and moves on behind it.
    ///
    /// # Errors
    /// [`ClientError::Unexpected`].
    pub fn read(&mut self, answer: &Answer) -> Result<PageView<T>, ClientError> {
        let page: PageView<T> = view(answer)?;
        self.cursor.clone_from(&page.next_cursor);
        self.is_done = self.cursor.is_none();
        Ok(page)
    }

    /// The next page, as the document and typed; `None` after the last page.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn next(&mut self, client: &Client) -> Result<Option<(Answer, PageView<T>)>, ClientError> {
        let Some(call) = self.call() else { return Ok(None) };
        let answer = client.call(&call).await?;
        let page = self.read(&answer)?;
        Ok(Some((answer, page)))
    }
}
