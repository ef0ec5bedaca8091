//! `policy`: shows the policy in force.

use domain::DirectoryRole;
use local::client::view;
use platform::handler::views::PolicyView;

use super::Done;
use super::args::Common;
use super::rows::Row;
use super::session::{print_entries, route};
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub struct Policy {
    #[command(flatten)]
    common: Common,
}

impl Row for DirectoryRole {
    const HEADINGS: &'static [&'static str] = &["role", "level", "description"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.level.to_string(), self.description.clone()]
    }
}

pub async fn run(Policy { common }: Policy) -> Done {
    let session = common.session_without_key()?;
    let call = route("GET /v1/policy", &[]);
    if session.is_json() {
        return session.show::<PolicyView>(call).await;
    }
    let mut policy: PolicyView = view(&session.call(call).await?)?;
    // They have a table of their own.
    let roles = std::mem::take(&mut policy.current.roles.grant);
    print_entries(&serde_json::json!({"policy": policy}))?;
    let rows: Vec<_> = roles.iter().map(Row::cells).collect();
    let mut out = Output::stdout();
    out.line("")?;
    out.rows(DirectoryRole::HEADINGS, &rows)?;
    Ok(out.flush()?)
}
