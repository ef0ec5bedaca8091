//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main_job(expire_due::JOB)
}
