use expire_due::{Announcer, JOB};

fn main() -> std::process::ExitCode {
    platform::lambda::main_job(&JOB, Announcer::new)
}
