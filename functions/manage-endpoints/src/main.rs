//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main(manage_endpoints::FUNCTION)
}
