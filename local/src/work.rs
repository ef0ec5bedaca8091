//! What runs next to the gateway.

use platform::store::StoreError;
use tokio::task::JoinSet;

use crate::jobs;
use crate::running::Local;

impl Local {
    /// Runs the jobs every minute, publishes and delivers, until the set is dropped. It resumes what an earlier process left
    /// unfinished in a kept folder.
    ///
    /// # Errors
    /// [`StoreError`] if the table cannot be read.
    pub async fn work(&self) -> Result<JoinSet<()>, StoreError> {
        self.courier().rebuild().await?;
        let mut working = JoinSet::new();
        jobs::every_minute(self, &mut working);
        self.courier().run(&mut working);
        Ok(working)
    }
}
