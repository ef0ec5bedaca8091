//! Properties of all messages.

use proptest::prelude::*;

use super::super::SignatureError::Malformed;
use super::super::SignatureHeader::Signature;
use super::super::{sign, signed_parts};
use super::{BODY, ID, NOW, SIGNATURE, TIMESTAMP, accept, accept_signature, headers, secret};

const ANY_ID: &str = "[A-Za-z0-9_-]{1,128}";
const ANY_TIMESTAMP: &str = "[1-9][0-9]{0,11}";

proptest! {
    #[test]
    fn a_message_with_any_bit_flipped_is_rejected(
        id in ANY_ID, seconds in NOW - 300..=NOW + 300, body in prop::collection::vec(any::<u8>(), 0..100),
        which in 0_usize..4, bit in any::<prop::sample::Index>(),
    ) {
        let timestamp = seconds.to_string();
        let signature = sign(&secret(), &id, seconds, &body);
        prop_assert_eq!(accept(&id, &timestamp, &signature, &[secret()], &body), Ok(()));

        let mut parts = [id.into_bytes(), timestamp.into_bytes(), signature.into_bytes(), body];
        prop_assume!(!parts[which].is_empty());
        let bit = bit.index(parts[which].len() * 8);
        parts[which][bit / 8] ^= 1 << (bit % 8);
        // The HTTP layer rejects a header that is not text.
        if let [Ok(id), Ok(timestamp), Ok(signature)] = [0, 1, 2].map(|at| std::str::from_utf8(&parts[at])) {
            prop_assert!(accept(id, timestamp, signature, &[secret()], &parts[3]).is_err());
        }
    }

    #[test]
    fn a_signature_header_over_a_limit_is_malformed_although_each_entry_is_valid(
        entries in 12_usize..2_000, padding in 4_048_usize..100_000,
    ) {
        prop_assert_eq!(accept_signature(&vec![SIGNATURE; entries].join(" ")), Err(Malformed(Signature)));
        let long = format!("{SIGNATURE} v2,{}", "A".repeat(padding));
        prop_assert_eq!(accept_signature(&long), Err(Malformed(Signature)));
    }

    /// The parts can be read back from the signed bytes, so two messages never share them.
    #[test]
    fn signed_bytes_identify_the_message(
        id in ANY_ID, timestamp in ANY_TIMESTAMP, body in "[0-9.a]{0,20}|\\PC{0,20}",
    ) {
        prop_assert!(headers(&id, &timestamp, SIGNATURE).is_ok());
        let signed = signed_parts(&id, &timestamp, body.as_bytes()).concat();
        let mut parts = signed.splitn(3, |b| *b == b'.');
        prop_assert_eq!(parts.next(), Some(id.as_bytes()));
        prop_assert_eq!(parts.next(), Some(timestamp.as_bytes()));
        prop_assert_eq!(parts.next(), Some(body.as_bytes()));
    }

    /// The alphabets are so small that pairs with the same signed bytes would be found.
    #[test]
    fn two_accepted_messages_with_the_same_signed_bytes_are_equal(
        one in ("[1.]{1,3}", "[1.]{1,3}", "[1.]{0,3}"), two in ("[1.]{1,3}", "[1.]{1,3}", "[1.]{0,3}"),
    ) {
        let accepted = |it: &(String, String, String)| headers(&it.0, &it.1, SIGNATURE).is_ok();
        let signed = |it: &(String, String, String)| signed_parts(&it.0, &it.1, it.2.as_bytes()).concat();
        if accepted(&one) && accepted(&two) && signed(&one) == signed(&two) {
            prop_assert_eq!(one, two);
        }
    }

    #[test]
    fn arbitrary_headers_are_rejected_without_a_panic(
        id in any::<String>(), timestamp in any::<String>(), signature in any::<String>(),
    ) {
        for (id, timestamp, signature) in [
            (id.as_str(), TIMESTAMP, SIGNATURE), (ID, timestamp.as_str(), SIGNATURE), (ID, TIMESTAMP, signature.as_str()),
        ] {
            prop_assert!(accept(id, timestamp, signature, &[secret()], BODY).is_err());
        }
    }
}
