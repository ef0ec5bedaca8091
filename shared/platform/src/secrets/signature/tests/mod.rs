mod messages;
mod parsing;
mod properties;
mod reference;
mod vectors;

use super::{SignatureError, SignatureHeaders, SigningSecret};

const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const NOW: i64 = 1_649_367_553;
const TIMESTAMP: &str = "1649367553";
const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

fn secret() -> SigningSecret {
    SigningSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()
}

fn headers<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> Result<SignatureHeaders<'a>, SignatureError> {
    SignatureHeaders::parse(Some(id), Some(timestamp), Some(signature))
}

/// All three checks at [`NOW`], in the order in which the API makes them.
fn accept(
    id: &str,
    timestamp: &str,
    signature: &str,
    secrets: &[SigningSecret],
    body: &[u8],
) -> Result<(), SignatureError> {
    let headers = headers(id, timestamp, signature)?;
    headers.check_time(NOW)?;
    headers.verify(secrets, body)
}

fn accept_signature(signature: &str) -> Result<(), SignatureError> {
    accept(ID, TIMESTAMP, signature, &[secret()], BODY)
}
