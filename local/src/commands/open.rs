//! `open`: prints the address of a page, and opens it. Only pages whose address has no secret are opened: the link of an
//! invitation would be visible in the arguments of the browser.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use domain::{PartnerId, TenantId};
use local::client::path;

use super::Done;
use super::connection::Connection;
use crate::output::{self, Output};

#[derive(Debug, clap::Args)]
pub struct Open {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    page: Page,
    /// Only print the address.
    #[arg(long)]
    no_browser: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Page {
    /// Page of this partner.
    #[arg(long, value_parser = super::args::partner_id)]
    partner_id: Option<PartnerId>,
    /// Page of this customer.
    #[arg(long, value_parser = super::args::tenant_id)]
    tenant_id: Option<TenantId>,
}

impl Page {
    fn path(&self) -> String {
        match (&self.partner_id, &self.tenant_id) {
            (Some(id), _) => path("/p/{partner_id}", &[id.as_str()]),
            (None, Some(id)) => path("/c/{tenant_id}", &[id.as_str()]),
            (None, None) => "/".to_owned(),
        }
    }
}

/// Opens the page only if a person is at a terminal.
pub fn run(Open { connection, page, no_browser }: Open) -> Done {
    let url = format!("{}{}", connection.address()?, page.path());
    let mut out = Output::stdout();
    out.line(&url)?;
    out.flush()?;
    drop(out);
    if !no_browser && std::io::stdout().is_terminal() && !launch(&url) {
        output::warn(&"No browser was found. Open the address yourself.");
    }
    Ok(())
}

fn launch(url: &str) -> bool {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let quiet = Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    quiet.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_partners_and_customers_have_an_address() {
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        let partner = PartnerId::from_tenant(&tenant);
        let of_partner = Page { partner_id: Some(partner.clone()), tenant_id: None };
        assert_eq!(of_partner.path(), format!("/p/{partner}"));
        let of_customer = Page { partner_id: None, tenant_id: Some(tenant.clone()) };
        assert_eq!(of_customer.path(), format!("/c/{tenant}"));
    }
}
