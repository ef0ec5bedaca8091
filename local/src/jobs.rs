//! The deployment's scheduled jobs on this machine: once on request, or every minute next to the gateway. What is due
//! depends on the clock of [`Options`](crate::options::Options).

use std::sync::Arc;
use std::time::Duration;

use platform::lambda::{Job, JobError};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::invoke::run;
use crate::running::Local;

/// The jobs that the template invokes on a schedule.
pub const SCHEDULED: [&str; 2] = [expire_due::JOB.name, publish_events::JOB.name];

/// The template has one rate per job. One for all is enough here.
const EVERY: Duration = Duration::from_secs(60);

/// Runs `expire-due` once and returns its report.
///
/// # Errors
/// [`JobError`] if it must be invoked again.
pub async fn run_expire_due(local: &Local) -> Result<Value, JobError> {
    run(local.announcer(), &expire_due::JOB, &json!({})).await
}

/// Runs `publish-events` once, as its schedule does, and returns its report.
///
/// # Errors
/// [`JobError`] if it must be invoked again.
pub async fn run_publish_events(local: &Local) -> Result<Value, JobError> {
    run(&local.courier().publisher, &publish_events::JOB, &json!({})).await
}

/// Runs every job now and then every minute, until the set is dropped.
pub fn every_minute(local: &Local, running: &mut JoinSet<()>) {
    let courier = local.courier();
    running.spawn(repeat(Arc::clone(local.announcer()), &expire_due::JOB, Arc::clone(&courier.committed)));
    running.spawn(repeat(Arc::clone(&courier.publisher), &publish_events::JOB, Arc::clone(&courier.committed)));
}

/// Runs a job every minute. A failure is logged, and the next run tries again.
async fn repeat<W>(worker: Arc<W>, job: &'static Job<W>, committed: Arc<Notify>) {
    let mut minutes = interval(EVERY);
    // After a pause of the machine, one run catches up with everything.
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        let _ = run(&worker, job, &json!({})).await;
        committed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Timestamp;
    use platform::clock::Clock;

    use super::*;
    use crate::{Options, samples, start, template};

    struct MovedClock(Mutex<i64>);

    impl Clock for MovedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(*self.0.lock().unwrap())
        }
    }

    /// A system whose sample invitation has just expired.
    async fn a_month_later() -> Local {
        let clock = Arc::new(MovedClock(Mutex::new(1_795_369_200_000)));
        let local = start(Options { clock: clock.clone(), ..Options::default() }).await.unwrap();
        samples::seed(local.base_url(), local.operator_key()).await.unwrap();
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(0));
        *clock.0.lock().unwrap() += 31 * 86_400_000;
        local
    }

    #[tokio::test]
    async fn the_clock_of_the_options_decides_what_is_due() {
        let local = a_month_later().await;
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(1));
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(0));
    }

    #[tokio::test]
    async fn jobs_run_when_work_begins() {
        let local = a_month_later().await;
        let mut running = JoinSet::new();
        every_minute(&local, &mut running);
        let events = || async {
            let call = reqwest::Client::new().get(format!("{}/v1/events", local.base_url()));
            let answer = call.bearer_auth(local.operator_key().expose_secret()).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["items"][0]["type"].clone()
        };
        let announced = async {
            // Each job notifies after its run.
            while events().await != json!("invitation.expired") {
                local.courier().committed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), announced).await.unwrap();
    }

    #[test]
    fn the_template_schedules_the_same_jobs() {
        let document = template::document().unwrap();
        let functions = document["Resources"].as_object().unwrap().values();
        let scheduled = functions.filter(|resource| {
            let events = resource.pointer("/Properties/Events").and_then(Value::as_object);
            events.is_some_and(|events| events.values().any(|event| event["Type"] == "ScheduleV2"))
        });
        let names: Vec<_> =
            scheduled.map(|function| function["Metadata"]["BuildProperties"]["Binary"].clone()).collect();
        assert_eq!(json!(names), json!(SCHEDULED));
    }
}
