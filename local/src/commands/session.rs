//! What every command of the client does: call, and print the response as a table or as the API's document.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use local::api::{Answer, Call};
use local::client::{Client, ClientError, Pages, Retry, path, private_file, view};
use platform::random::{Random, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::{Idempotency, Paging};
use super::rows::Row;
use super::{Done, Failure, entries};
use crate::exit::{Repeatable, UsageError};
use crate::output::{self, Output};

/// A deployment, a key, and the form of the output.
pub struct Session {
    client: Client,
    json: bool,
}

/// Where a secret goes that is returned only once.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SecretFile {
    /// File to write the secret to, instead of the terminal. It must not exist; only you can read it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The call of a route, as the template has it: `METHOD /path/{parameter}`.
pub fn route(key: &str, values: &[&str]) -> Call {
    let (method, template) = key.split_once(' ').unwrap_or(("GET", key));
    Call::new(method, path(template, values))
}

/// The arguments as a body: those that are given.
pub fn body<T: Serialize>(arguments: &T) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(arguments)?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Ok(value)
}

impl Session {
    pub fn new(client: Client, json: bool) -> Self {
        Self { client, json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    pub async fn call(&self, call: Call) -> Result<Answer, ClientError> {
        let answer = self.client.call(&call).await?;
        if answer.replayed() {
            output::warn(&"This was done before. This is its result.");
        }
        Ok(answer)
    }

    /// Calls and prints one record.
    pub async fn show<T: Serialize + DeserializeOwned>(&self, call: Call) -> Done {
        let answer = self.call(call).await?;
        if self.json {
            return print_document(&answer);
        }
        print_entries(&serde_json::to_value(view::<T>(&answer)?)?)
    }

    /// Calls with an idempotency key and prints a response with a secret member.
    pub async fn show_secret<T: Serialize + DeserializeOwned>(
        &self,
        call: Call,
        repeat: &Idempotency,
        member: &str,
        file: &SecretFile,
    ) -> Done {
        let key = repeat.key();
        let call = call.idempotency_key(&key);
        let remedy = format!("To repeat the command without doing it twice, add --idempotency-key {key}");
        self.show_secret_once::<T>(call, &remedy, member, file).await
    }

    /// Calls and prints a response with a secret member. `remedy` says how to get the secret if it could not be shown.
    pub async fn show_secret_once<T: Serialize + DeserializeOwned>(
        &self,
        call: Call,
        remedy: &str,
        member: &str,
        file: &SecretFile,
    ) -> Done {
        if self.json && file.out.is_some() {
            return Err(UsageError("use either --json or --out".to_owned()).into());
        }
        // Before the call, because the secret is returned only once.
        let kept = file.out.clone().map(SecretOutput::create).transpose()?;
        let answer = self.call(call).await.map_err(|error| Repeatable::of_call(error, remedy))?;
        self.print_secret::<T>(&answer, member, kept).map_err(|error| Repeatable::new(error, remedy).into())
    }

    fn print_secret<T: Serialize + DeserializeOwned>(
        &self,
        answer: &Answer,
        member: &str,
        kept: Option<SecretOutput>,
    ) -> Done {
        if self.json {
            return print_document(answer);
        }
        let mut shown = serde_json::to_value(view::<T>(answer)?)?;
        match (kept, shown.get(member).and_then(Value::as_str).map(str::to_owned)) {
            (Some(kept), Some(secret)) => {
                kept.write(&secret)?;
                if let Some(members) = shown.as_object_mut() {
                    members.remove(member);
                }
            }
            (None, Some(_)) => output::warn(&format!("Keep {member}: it is secret.")),
            (_, None) => {}
        }
        print_entries(&shown)
    }

    /// A page of a list; one of many is worth retries.
    async fn page(&self, call: &Call, is_retried: bool) -> Result<Answer, ClientError> {
        if !is_retried {
            return self.client.call(call).await;
        }
        let wait = |time, _: &ClientError| tokio::time::sleep(time);
        self.client.call_retrying(call, &Retry::default(), jitter, wait).await
    }

    /// Prints a list: one page, or all of them.
    pub async fn list<T: Row + DeserializeOwned>(
        &self,
        call: Call,
        parameters: impl IntoIterator<Item = (&'static str, Option<String>)>,
        paging: &Paging,
    ) -> Done {
        let limit = ("limit", paging.limit.map(|limit| limit.to_string()));
        let given = parameters.into_iter().chain([limit]);
        let parameters: Vec<_> = given.filter_map(|(name, value)| Some((name, value?))).collect();
        // A feed goes on with another parameter than a list.
        let is_feed = parameters.iter().any(|(name, _)| *name == "after");
        let mut pages: Pages<T> = Pages::new(call.path, parameters, paging.cursor.clone());
        let (mut is_empty, mut cursor) = (true, paging.cursor.clone());
        while let Some(call) = pages.call() {
            let got = self.page(&call, paging.all).await.and_then(|answer| Ok((pages.read(&answer)?, answer)));
            let (page, answer) = got.inspect_err(|_| {
                if let Some(cursor) = cursor.as_ref().filter(|_| paging.all) {
                    output::warn(&format!("Continue with --cursor {cursor}"));
                }
            })?;
            cursor.clone_from(&page.next_cursor);
            if self.json {
                print_document(&answer)?;
            } else {
                print_rows(&page.items, is_empty)?;
            }
            is_empty &= page.items.is_empty();
            match page.next_cursor.filter(|_| !paging.all) {
                Some(_) if self.json => return Ok(()),
                Some(next) if is_feed => {
                    output::warn(&format!("To continue: --after {next}"));
                    return Ok(());
                }
                Some(next) => {
                    output::warn(&format!("There are more: use --all, or --cursor {next}"));
                    return Ok(());
                }
                None => {}
            }
        }
        if is_empty && !self.json {
            output::warn(&"Nothing found.");
        }
        Ok(())
    }
}

fn jitter() -> f64 {
    f64::from(SystemRandom.bytes()[0]) / 255.0
}

fn print_document(answer: &Answer) -> Done {
    let mut out = Output::stdout();
    out.document(&answer.body)?;
    Ok(out.flush()?)
}

pub fn print_entries(shown: &Value) -> Done {
    let mut out = Output::stdout();
    out.entries(&entries::of(shown))?;
    Ok(out.flush()?)
}

fn print_rows<T: Row>(items: &[T], is_first: bool) -> Done {
    if items.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = items.iter().map(Row::cells).collect();
    let mut out = Output::stdout();
    if is_first {
        out.rows(T::HEADINGS, &rows)?
    } else {
        out.more_rows(&rows)?
    }
    Ok(out.flush()?)
}

/// A new file for a secret. It is removed unless the secret was written.
struct SecretOutput {
    path: PathBuf,
    file: File,
    is_written: bool,
}

impl SecretOutput {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let created = private_file(&path);
        let file = created.map_err(|error| UsageError(format!("cannot create {}: {error}", path.display())))?;
        Ok(Self { path, file, is_written: false })
    }

    fn write(mut self, secret: &str) -> Done {
        writeln!(self.file, "{secret}")?;
        self.file.sync_all()?;
        self.is_written = true;
        output::warn(&format!("The secret is in {}.", self.path.display()));
        Ok(())
    }
}

impl Drop for SecretOutput {
    fn drop(&mut self) {
        if !self.is_written {
            let _ = fs::remove_file(&self.path);
        }
    }
}
