//! `export`: prints lists as CSV or JSON.

use std::error::Error;

use domain::PartnerId;
use local::client::Retry;
use local::export::{self, ExportError, Format};

use super::args;
use super::connection::Connection;
use crate::exit::UsageError;
use crate::output::{self, Output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Newest first. A field that a spreadsheet would run as a formula starts with a single quotation mark; \
                        `import` removes it."
)]
pub struct Export {
    #[arg(value_name = "KIND")]
    what: What,
    /// CSV (default).
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// The API's document of one record on each line.
    #[arg(long)]
    json: bool,
    /// Only records of this partner. With an operator's key; default: of all partners.
    #[arg(long, value_parser = args::partner_id)]
    partner_id: Option<PartnerId>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    /// Only with an operator's key
    Customers,
    Relationships,
    Grants,
    Subscriptions,
    Events,
}

pub async fn run(args: Export) -> Result<(), Box<dyn Error>> {
    if args.partner_id.is_some() && matches!(args.what, What::Customers) {
        return Err(UsageError("customers belong to no partner: leave out --partner-id".to_owned()).into());
    }
    let client = args.connection.client()?;
    let format = if args.json { Format::Json } else { Format::Csv };
    let what = args.what.into();
    let export = export::Export { client: &client, retry: Retry::default(), what, format, partner: args.partner_id };
    let mut out = Output::stdout();
    let count = export.run(|text| out.text(text.as_bytes())).await.map_err(boxed)?;
    out.flush()?;
    output::warn(&format!("Exported: {count}"));
    Ok(())
}

fn boxed(error: ExportError) -> Box<dyn Error> {
    match error {
        ExportError::Client(error) => error.into(),
        ExportError::Output(error) => error.into(),
        error => error.into(),
    }
}

impl From<What> for export::What {
    fn from(what: What) -> Self {
        match what {
            What::Customers => Self::Customers,
            What::Relationships => Self::Relationships,
            What::Grants => Self::Grants,
            What::Subscriptions => Self::Subscriptions,
            What::Events => Self::Events,
        }
    }
}
