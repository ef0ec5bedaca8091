//! Published examples.

use data_encoding::BASE64;

use super::super::{SecretError, SigningSecret, sign};
use super::{BODY, ID, NOW, SIGNATURE, headers};

#[test]
fn the_examples_of_the_rust_and_javascript_libraries_have_our_signatures() {
    for (secret, id, timestamp, body, signature) in [
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", ID, NOW, BODY, SIGNATURE),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        let secret = SigningSecret::parse(secret).unwrap();
        assert_eq!(sign(&secret, id, timestamp, body), signature);
        let timestamp = timestamp.to_string();
        assert_eq!(headers(id, &timestamp, signature).unwrap().verify(&[secret], body), Ok(()));
    }
}

/// Its secret has 18 bytes, which is too short for us.
#[test]
fn the_example_of_svix_has_our_signature() {
    let text = "whsec_plJ3nmyCDGBKInavdOK15jsl";
    assert_eq!(SigningSecret::parse(text).err(), Some(SecretError::Length));
    let secret = SigningSecret::from_key(&BASE64.decode(&text.as_bytes()["whsec_".len()..]).unwrap());
    let body = br#"{"event_type":"ping","data":{"success":true}}"#;
    let expected = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
    assert_eq!(sign(&secret, "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body), expected);
}
