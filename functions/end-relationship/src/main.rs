//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main(end_relationship::FUNCTION)
}
