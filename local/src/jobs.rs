//! The deployment's scheduled jobs on this machine: once on request, or every minute next to the gateway. What is due
//! depends on the clock of [`Options`](crate::options::Options).

use std::sync::Arc;
use std::time::Duration;

use platform::handler::App;
use platform::lambda::{Job, JobError};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::invoke::run;
use crate::running::Local;

/// Every job that the template calls on a schedule.
pub const SCHEDULED: &[Job] = &[expire_due::JOB, publish_events::JOB];

/// The template has one rate per job. One for all is enough here.
const EVERY: Duration = Duration::from_secs(60);

/// Runs a job once and returns its report.
///
/// # Errors
/// [`JobError`] if it has to be called again.
pub async fn run_once(local: &Local, job: &Job) -> Result<Value, JobError> {
    run(&app_of(local, job), job, &json!({})).await
}

fn app_of(local: &Local, job: &Job) -> Arc<App> {
    Arc::clone(if job.needs.queue { &local.courier().publishing } else { local.app() })
}

/// Runs every job now and then every minute, until the set is dropped. A failure is logged and tried again a minute later.
pub fn every_minute(local: &Local, running: &mut JoinSet<()>) {
    for job in SCHEDULED {
        let app = app_of(local, job);
        let committed = Arc::clone(&local.courier().committed);
        running.spawn(async move {
            let mut minutes = interval(EVERY);
            // After a pause of the machine, one run catches up with everything.
            minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                minutes.tick().await;
                let _ = run(&app, job, &json!({})).await;
                committed.notify_one();
            }
        });
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
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(0));
        *clock.0.lock().unwrap() += 31 * 86_400_000;
        local
    }

    #[tokio::test]
    async fn the_clock_of_the_options_decides_what_is_due() {
        let local = a_month_later().await;
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(1));
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(0));
    }

    #[tokio::test]
    async fn jobs_run_when_work_begins() {
        let local = a_month_later().await;
        let mut running = JoinSet::new();
        every_minute(&local, &mut running);
        let events = || async {
            let call = reqwest::Client::new().get(format!("{}/v1/events", local.base_url()));
            let answer = call.bearer_auth(local.operator_key().reveal()).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["items"][0]["type"].clone()
        };
        let announced = async {
            // Each job notifies after its run.
            while events().await != json!("invitation.expired") {
                local.courier().committed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), announced).await.unwrap();
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
        assert_eq!(json!(names), SCHEDULED.iter().map(|job| json!(job.name)).collect::<Value>());
    }
}
