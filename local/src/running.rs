//! The API while it runs.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use expire_due::Announcer;
use platform::handler::App;
use platform::secrets::AccessKeyText;

use crate::courier::Courier;
use crate::data_dir::DataDir;
use crate::net::Server;
use crate::table::TABLE;

/// The API while it runs. [`Local::stop`] lets running requests finish; dropping it does not wait for them.
pub struct Local {
    pub(crate) base_url: String,
    pub(crate) operator_key: AccessKeyText,
    pub(crate) client: Client,
    pub(crate) app: Arc<App>,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) server: Server,
    pub(crate) data_dir: Option<DataDir>,
}

impl Local {
    /// `http://address:port` of the gateway.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub fn operator_key(&self) -> &AccessKeyText {
        &self.operator_key
    }

    /// A client for the table, without injected faults.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn table(&self) -> &'static str {
        TABLE
    }

    /// The state of a function, with injected faults and master keys, for tests that read the store. No function shares its
    /// caches.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What `expire-due` works with.
    pub fn announcer(&self) -> &Arc<Announcer> {
        &self.announcer
    }

    /// Publishes and delivers webhooks, once [`Local::work`] or a test tells it to.
    pub fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    pub fn data_dir(&self) -> Option<&DataDir> {
        self.data_dir.as_ref()
    }

    /// Accepts no more requests, lets the running ones finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
