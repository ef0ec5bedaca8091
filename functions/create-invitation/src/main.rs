//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main(create_invitation::FUNCTION)
}
