//! Reads secrets from a file or an environment variable, never from an argument: other users can see arguments.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use local::client::is_open_to_others;

use platform::secrets::AccessKeyText;
use platform::secrets::signature::SigningSecret;
use zeroize::Zeroizing;

use crate::output;
use crate::prompt;

/// More is no key.
const MAX_KEY_FILE: u64 = 4096;

pub const ACCESS_KEY: &str = "MULTIPARTNER_KEY";
pub const OPERATOR_KEY: &str = "MULTIPARTNER_OPERATOR_KEY";
pub const WEBHOOK_SECRET: &str = "MULTIPARTNER_WEBHOOK_SECRET";

/// Why a secret cannot be used. The secret itself is never part of the message.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read {path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, io::Error),
    #[error("the environment variable {0} is not valid UTF-8")]
    Variable(&'static str),
    #[error(
        "{0} does not contain an operator key. A key is `mpk_` and 43 characters; `cargo run -- keygen` generates one"
    )]
    OperatorKey(String),
    #[error("{0} does not contain an access key. A key is `mpk_` and 43 characters; the operator issues it")]
    AccessKey(String),
    #[error(
        "{0} does not contain a signing secret. A signing secret is `whsec_` and base64; creating an endpoint returns it"
    )]
    SigningSecret(String),
    #[error("this command needs a signing secret: use --secret-file FILE, or set MULTIPARTNER_WEBHOOK_SECRET")]
    NoSigningSecret,
}

/// A text, and where it was read.
struct Source {
    text: Zeroizing<String>,
    name: String,
}

/// The operator key of a file or, without a file, of [`OPERATOR_KEY`].
pub fn operator_key(file: Option<&Path>) -> Result<Option<AccessKeyText>, SecretError> {
    let Some(source) = read(file, OPERATOR_KEY)? else { return Ok(None) };
    let key = AccessKeyText::parse(source.text.trim());
    key.map(Some).ok_or(SecretError::OperatorKey(source.name))
}

/// The access key of [`ACCESS_KEY`].
pub fn access_key_of_environment() -> Result<Option<AccessKeyText>, SecretError> {
    read(None, ACCESS_KEY)?.map(access_key).transpose()
}

/// The access key in a file; `-` is standard input.
pub fn access_key_of_file(file: &Path) -> Result<AccessKeyText, SecretError> {
    let mut text = Zeroizing::new(String::new());
    let failed = |error| SecretError::File(file.to_owned(), error);
    if file == Path::new("-") {
        io::stdin().lock().take(MAX_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
        return access_key(Source { text, name: "standard input".to_owned() });
    }
    open(file).map_err(failed)?.take(MAX_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
    access_key(Source { text, name: file.display().to_string() })
}

/// Asks for the access key on the terminal, without showing it.
pub fn access_key_of_prompt(address: &str) -> Result<AccessKeyText, SecretError> {
    let text = asked(&format!("Access key for {address} (hidden): "))?;
    access_key(Source { text, name: "the input".to_owned() })
}

fn access_key(source: Source) -> Result<AccessKeyText, SecretError> {
    AccessKeyText::parse(source.text.trim()).ok_or(SecretError::AccessKey(source.name))
}

/// The signing secrets of a file or, without a file, of [`WEBHOOK_SECRET`]. During a rotation there are two.
pub fn signing_secrets(file: Option<&Path>) -> Result<Vec<SigningSecret>, SecretError> {
    let Some(source) = read(file, WEBHOOK_SECRET)? else { return Ok(Vec::new()) };
    let secrets: Result<Vec<_>, _> = source.text.split_whitespace().map(SigningSecret::parse).collect();
    let secrets = secrets.ok().filter(|secrets| !secrets.is_empty());
    secrets.ok_or(SecretError::SigningSecret(source.name))
}

/// As [`signing_secrets`]; without a file and a variable, asks for the secret on the terminal. There is at least one.
pub fn signing_secrets_or_prompt(file: Option<&Path>) -> Result<Vec<SigningSecret>, SecretError> {
    let secrets = signing_secrets(file)?;
    if !secrets.is_empty() {
        return Ok(secrets);
    }
    if !io::stderr().is_terminal() {
        return Err(SecretError::NoSigningSecret);
    }
    let text = asked("Signing secret (hidden): ")?;
    let secret = SigningSecret::parse(text.trim()).map_err(|_| SecretError::SigningSecret("the input".to_owned()))?;
    Ok(vec![secret])
}

fn asked(question: &str) -> Result<Zeroizing<String>, SecretError> {
    prompt::hidden(question).map_err(|error| SecretError::File("the terminal".into(), error))
}

/// Opens a file with a secret, and warns if others can read it.
fn open(file: &Path) -> io::Result<File> {
    let opened = File::open(file)?;
    if is_open_to_others(&opened)? {
        output::warn(&format!("other users can read {file}; run: chmod 600 {file}", file = file.display()));
    }
    Ok(opened)
}

fn read(file: Option<&Path>, variable: &'static str) -> Result<Option<Source>, SecretError> {
    if let Some(file) = file {
        let failed = |error| SecretError::File(file.to_owned(), error);
        let mut text = Zeroizing::new(String::new());
        open(file).and_then(|mut opened| opened.read_to_string(&mut text)).map_err(failed)?;
        return Ok(Some(Source { text, name: file.display().to_string() }));
    }
    match env::var(variable) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(Source { text: text.into(), name: format!("the environment variable {variable}") })),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(SecretError::Variable(variable)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    const KEY: &str = "mpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    /// A file that is removed when this is dropped.
    struct TempFile(PathBuf);

    impl TempFile {
        fn with(name: &str, text: &str) -> Self {
            let path = env::temp_dir().join(format!("multipartner-{}-{name}", std::process::id()));
            fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            Self(path)
        }
    }

    impl Drop for TempFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn an_operator_key_is_read_from_a_file() {
        let file = TempFile::with("key", &format!("{KEY}\n"));
        assert_eq!(operator_key(Some(&file.0)).unwrap().unwrap().expose_secret(), KEY);
    }

    #[test]
    fn signing_secrets_are_read_from_the_lines_of_a_file() {
        let file = TempFile::with("secrets", &format!("{SECRET}\n{SECRET}\n"));
        assert_eq!(signing_secrets(Some(&file.0)).unwrap().len(), 2);
    }

    #[test]
    fn an_error_names_the_file_and_not_the_secret() {
        let file = TempFile::with("malformed", "mpk_hidden whsec_hidden");
        let errors = [
            operator_key(Some(&file.0)).unwrap_err().to_string(),
            signing_secrets(Some(&file.0)).err().unwrap().to_string(),
        ];
        for error in errors {
            assert!(error.contains(&file.0.display().to_string()) && !error.contains("hidden"), "{error}");
        }
        let empty = TempFile::with("empty", "\n");
        assert!(matches!(signing_secrets(Some(&empty.0)), Err(SecretError::SigningSecret(_))));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = operator_key(Some(Path::new("missing-file"))).unwrap_err().to_string();
        assert!(error.starts_with("cannot read missing-file: "), "{error}");
    }
}
