//! The Lambda function.

fn main() -> std::process::ExitCode {
    shared::lambda::main(web::FUNCTION)
}
