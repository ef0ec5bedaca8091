//! `whoami`: shows whose key it is.

use platform::handler::views::MeView;

use super::Done;
use super::args::Common;
use super::session::route;

#[derive(Debug, clap::Args)]
pub struct Whoami {
    #[command(flatten)]
    common: Common,
}

pub async fn run(Whoami { common }: Whoami) -> Done {
    common.session()?.show::<MeView>(route("GET /v1/me", &[])).await
}
