//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main(accept_invitation::FUNCTION)
}
