//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main_job(expire_due::JOB)
}
