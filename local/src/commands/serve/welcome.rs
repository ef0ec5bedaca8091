//! What `serve` prints when it is ready.

use std::io;

use local::Local;
use local::samples::{Samples, steps};

use super::samples::Seeded;
use super::sign_in::SignIn;
use crate::output::{Output, Stdout};

pub struct Welcome<'a> {
    pub local: &'a Local,
    pub seeded: &'a Seeded,
    pub sign_in: &'a SignIn,
    /// A generated operator key is printed. One that the caller provided is not.
    pub generated_key: bool,
    pub loopback_endpoints: bool,
    /// Whether the last start on this data folder had another operator key.
    pub operator_changed: bool,
}

type Out = Output<Stdout>;

impl Welcome<'_> {
    pub fn print(&self) -> io::Result<()> {
        let mut out = Output::stdout();
        out.heading(&format!("Multipartner is running at {}", self.local.base_url()))?;
        out.note("Open this address in a browser for an overview. Press Ctrl-C to stop.")?;
        self.print_data(&mut out)?;
        out.line("")?;
        self.print_keys(&mut out)?;
        self.print_samples(&mut out)?;
        out.line("")?;
        self.print_sign_in(&mut out)?;
        self.print_webhooks(&mut out)?;
        out.flush()
    }

    fn print_data(&self, out: &mut Out) -> io::Result<()> {
        if self.local.data_dir().is_some() {
            let kept = if self.generated_key { "Data and keys are kept" } else { "Data and sample keys are kept" };
            out.note(&format!("{kept} in the data folder."))?;
            if self.operator_changed {
                out.line("The operator key differs from that of the last start, which is not valid in this run.")?;
            }
            return Ok(());
        }
        out.note("Data is kept in memory: stopping deletes it, and the next start prints other keys.")?;
        out.note("To keep data and keys, run: cargo run -- serve --data-dir data")
    }

    fn print_keys(&self, out: &mut Out) -> io::Result<()> {
        let operator_key =
            if self.generated_key { self.local.operator_key().expose_secret() } else { "(the one you provided)" };
        let mut rows = vec![["Caller", "Kind", "Id", "Key"], ["Operator", "operator", "-", operator_key]];
        if let Seeded::Created(samples) = self.seeded {
            for (member, kind) in
                [(&samples.contoso, "customer"), (&samples.fabrikam, "partner"), (&samples.northwind, "partner")]
            {
                rows.push([member.name, kind, &member.id, &member.key]);
            }
        }
        out.table(&rows)
    }

    fn print_samples(&self, out: &mut Out) -> io::Result<()> {
        match self.seeded {
            Seeded::Created(samples) => self.print_commands(out, samples),
            Seeded::Disabled => Ok(()),
            Seeded::OwnData => {
                out.line("")?;
                out.line("This data folder has data of its own, so there are no sample tenants.")
            }
            Seeded::OtherOperator => {
                out.line("")?;
                out.line("The sample keys in this data folder were issued with another operator key.")?;
                out.line(
                    "To print them, start with that key. Without --operator-key-file, the folder's own key is used.",
                )
            }
            Seeded::Failed(error) => {
                out.line("")?;
                out.line(&format!("Cannot create the sample tenants: {error}"))
            }
        }
    }

    fn print_commands(&self, out: &mut Out, samples: &Samples) -> io::Result<()> {
        out.line("")?;
        out.heading("Variables for the commands in README.md and docs, to paste into a second terminal:")?;
        out.line(&self.variables(samples))?;
        out.line("")?;
        if let Some(open) = &samples.invitation {
            out.heading("Northwind's invitation link for Contoso:")?;
            out.line(&open.link)?;
            out.line("")?;
        }
        out.heading("Pages of Contoso (sign in, or enter its key) and Northwind (enter its key):")?;
        out.line(&format!("{}/c/{}", self.local.base_url(), samples.contoso.id))?;
        out.line(&format!("{}/p/{}", self.local.base_url(), samples.northwind.id))?;
        out.line("")?;
        out.heading("Commands to try in a second terminal, in this order:")?;
        for step in steps(samples, self.local.base_url()) {
            out.note(&format!("# {}", step.about))?;
            out.line(&step.to_string())?;
        }
        Ok(())
    }

    fn variables(&self, samples: &Samples) -> String {
        let (contoso, northwind) = (&samples.contoso, &samples.northwind);
        let operator = self.local.operator_key().expose_secret();
        let operator = if self.generated_key { format!(" OPERATOR_KEY={operator}") } else { String::new() };
        format!(
            "export BASE={}{operator} CONTOSO={} CONTOSO_KEY={} NORTHWIND={} NORTHWIND_KEY={}",
            self.local.base_url(),
            contoso.id,
            contoso.key,
            northwind.id,
            northwind.key
        )
    }

    fn print_sign_in(&self, out: &mut Out) -> io::Result<()> {
        match self.sign_in {
            SignIn::Development(provider) => {
                out.heading("Sign-in:")?;
                out.note(&format!("Customers' administrators sign in at {}, without passwords.", provider.url()))?;
                out.note("It is for development only. Choose one of its sample people.")?;
            }
            SignIn::Configured(settings) => {
                let clouds: Vec<_> = settings.clouds.keys().map(|cloud| cloud.as_str()).collect();
                out.heading("Sign-in:")?;
                out.note(&format!("Set up by the environment for these clouds: {}.", clouds.join(", ")))?;
            }
            SignIn::Nothing => {
                out.heading("Sign-in:")?;
                out.note("Not available: the development identity provider works only with --host 127.0.0.1.")?;
            }
        }
        out.line("")
    }

    fn print_webhooks(&self, out: &mut Out) -> io::Result<()> {
        out.heading("Webhooks:")?;
        if !self.loopback_endpoints {
            return out
                .note("To receive them on this machine, start with: cargo run -- serve --allow-loopback-endpoints");
        }
        out.note("1. In another terminal, run: cargo run -- listen")?;
        out.note("2. Create an endpoint with the URL http://127.0.0.1:4000/. It is verified at once.")?;
        out.note("An endpoint that was created before step 1 is pending until a retry, minutes later.")?;
        out.note("To verify it now, call: POST /v1/partners/PARTNER_ID/endpoints/ENDPOINT_ID/test")
    }
}
