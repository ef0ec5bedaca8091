//! Attack, check, outcome: the rows that concern tokens and keys. What concerns requests to a provider is in `tests/identity`.

use serde_json::{Value, json};

use super::forger::{Forger, encode};
use super::*;
use crate::identity::Check;

/// A token and what it leads to.
type Row = (&'static str, String, SignInError);

fn failed(check: Check) -> SignInError {
    SignInError::Failed(check)
}

fn not_home(check: Check) -> SignInError {
    SignInError::NotHome(check)
}

fn assert_rows(rows: impl IntoIterator<Item = Row>) {
    for (attack, token, expected) in rows {
        assert_eq!(judge(&token).unwrap_err(), expected, "{attack}");
    }
}

/// Tokens with one claim changed.
fn claim_rows(name: &'static str, outcome: SignInError, values: impl IntoIterator<Item = Value>) -> Vec<Row> {
    let row = |value: Value| (name, one().token(&claims_with(name, value)), outcome);
    let mut rows: Vec<_> = values.into_iter().map(row).collect();
    rows.push((name, one().token(&claims_without(name)), outcome));
    rows
}

/// Attacks 1 and 2.
#[test]
fn a_token_of_another_tenant_proves_nothing() {
    let other_issuer = ISSUER.replace(TENANT, OTHER_TENANT);
    let mut of_other = claims_with("iss", json!(other_issuer));
    of_other["tid"] = json!(OTHER_TENANT);
    assert_rows([
        ("token of another tenant", one().token(&of_other), failed(Check::Issuer)),
        ("issuer of the other", one().token(&claims_with("iss", json!(other_issuer))), failed(Check::Issuer)),
        ("tenant id of the other", one().token(&claims_with("tid", json!(OTHER_TENANT))), failed(Check::Tenant)),
    ]);
    assert_rows(claim_rows("tid", failed(Check::Tenant), [json!(TENANT.to_uppercase()), json!("")]));
}

/// Attack 3.
#[test]
fn an_issuer_is_compared_byte_for_byte() {
    let variants = [
        format!("{ISSUER}/"),
        ISSUER.to_uppercase(),
        ISSUER.replace("login", "Login"),
        ISSUER.replace(TENANT, &TENANT.to_uppercase()),
        ISSUER.replace(TENANT, "{tenantid}"),
        ISSUER.replace(TENANT, "{tenant}"),
        ISSUER.replace(TENANT, "common"),
        ISSUER.replace(TENANT, "organizations"),
        ISSUER.replace("https", "http"),
        ISSUER.replace("/v2.0", ""),
        ISSUER.replace("microsoftonline.com", "microsoftonline.us"),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("{ISSUER}\u{0}"),
        format!(" {ISSUER}"),
        String::new(),
    ];
    assert_rows(claim_rows("iss", failed(Check::Issuer), variants.map(Value::from)));
    let list = one().token(&claims_with("iss", json!([ISSUER])));
    assert_rows([("a list of issuers", list, failed(Check::Claims))]);
}

/// Attack 4.
#[test]
fn a_token_for_another_app_proves_nothing() {
    let audience = failed(Check::Audience);
    let foreign = "0b0b0b0b-0000-4000-8000-00000000000b";
    let values =
        [json!(foreign), json!(""), json!([]), json!([CLIENT, foreign]), json!([foreign, CLIENT]), json!([CLIENT])];
    assert_rows(claim_rows("aud", audience, values));
    let mut list = claims_with("aud", json!([CLIENT]));
    list["azp"] = json!(foreign);
    let azp = claims_with("azp", json!(foreign));
    assert_rows([("azp of a list", one().token(&list), audience), ("foreign azp", one().token(&azp), audience)]);
    list["azp"] = json!(CLIENT);
    assert!(judge(&one().token(&list)).is_ok(), "a list of this app alone");
}

/// Attack 5.
#[test]
fn only_rs256_is_accepted() {
    let tokens = ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", ""]
        .map(|alg| ("alg", one().with_algorithm(alg, &claims()), failed(Check::Header)));
    assert_rows(tokens);
    let unsigned = one().token(&claims());
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    assert_rows([("no signature", unsigned, failed(Check::Signature))]);
}

/// Attack 6.
#[test]
fn a_token_cannot_bring_its_own_key() {
    let stranger = Forger::new(include_str!("two.pem"), "one");
    let with = |name: &str, value: Value| {
        let mut header = stranger.header();
        header[name] = value;
        stranger.with_header(&header, &claims())
    };
    assert_rows([
        ("jwk", with("jwk", stranger.jwk()), failed(Check::Signature)),
        ("jku", with("jku", json!("https://example.com/keys")), failed(Check::Signature)),
        ("x5u", with("x5u", json!("https://example.com/certificate")), failed(Check::Signature)),
        ("x5c", with("x5c", json!(["MIIB"])), failed(Check::Signature)),
        ("unknown kid", two().token(&claims()), failed(Check::Key)),
    ]);
}

#[test]
fn a_header_is_exactly_what_is_expected() {
    let with = |name: &str, value: Value| {
        let mut header = one().header();
        header[name] = value;
        one().with_header(&header, &claims())
    };
    let mut without_kid = one().header();
    without_kid.as_object_mut().unwrap().remove("kid");
    let token = one().token(&claims());
    let parts: Vec<_> = token.split('.').collect();
    let header = failed(Check::Header);
    assert_rows([
        ("crit", with("crit", json!(["exp"])), header),
        ("empty crit", with("crit", json!([])), header),
        ("crit null", with("crit", Value::Null), header),
        ("typ", with("typ", json!("at+jwt")), header),
        ("typ null", with("typ", Value::Null), header),
        ("kid of another type", with("kid", json!(1)), header),
        ("no kid", one().with_header(&without_kid, &claims()), header),
        ("alg of another type", with("alg", json!(["RS256"])), header),
        ("alg twice", one().of_texts(r#"{"alg":"none","alg":"RS256","kid":"one"}"#, &claims().to_string()), header),
        ("kid twice", one().of_texts(r#"{"alg":"RS256","kid":"two","kid":"one"}"#, &claims().to_string()), header),
        ("a header that is a list", one().of_texts(r#"["RS256","one"]"#, &claims().to_string()), header),
        ("text after the header", one().of_texts(r#"{"alg":"RS256","kid":"one"} x"#, &claims().to_string()), header),
        ("two parts", format!("{}.{}", parts[0], parts[1]), header),
        ("four parts", format!("{token}.{}", parts[2]), header),
        ("an encrypted token", format!("{token}.{}.{}", parts[1], parts[2]), header),
        ("padding", format!("{token}="), header),
        ("standard base64", format!("{}.{}.{}+/", parts[0], parts[1], parts[2]), header),
        ("a line break", format!("{token}\n"), header),
        ("nothing", String::new(), header),
        ("dots", "..".to_owned(), header),
    ]);
    let mut bare = one().header();
    bare.as_object_mut().unwrap().remove("typ");
    assert!(judge(&one().with_header(&bare, &claims())).is_ok(), "typ may be absent");
}

/// Attack 7, and keys that must not verify anything.
#[test]
fn only_a_signing_key_of_this_issuer_verifies() {
    let with = |name: &str, value: Value| {
        let mut key = one().jwk();
        key[name] = value;
        key
    };
    let without = |name: &str| {
        let mut key = one().jwk();
        key.as_object_mut().unwrap().remove(name);
        key
    };
    let token = one().token(&claims());
    for (name, keys) in [
        ("another issuer's keys", vec![two().jwk()]),
        ("no keys", vec![]),
        ("a key of another issuer", vec![with("issuer", json!(ISSUER.replace(TENANT, OTHER_TENANT)))]),
        ("a key of the template of v1", vec![with("issuer", json!("https://sts.windows.net/{tenantid}/"))]),
        ("a key of another type", vec![with("kty", json!("EC"))]),
        ("an encryption key", vec![with("use", json!("enc"))]),
        ("a key without use", vec![without("use")]),
        ("a key of another algorithm", vec![with("alg", json!("PS256"))]),
        ("a key without id", vec![without("kid")]),
        ("a key without modulus", vec![without("n")]),
        ("a key in standard base64", vec![with("n", json!("+/+/"))]),
    ] {
        assert_eq!(judge_at(&token, &key_set(&keys), NOW).unwrap_err(), failed(Check::Key), "{name}");
    }
    for (name, keys) in [
        ("a longer modulus", vec![with("n", json!(encode([&[0][..], &[7; 256]].concat())))]),
        ("exponent 1", vec![with("e", json!("AQ"))]),
        ("an even exponent", vec![with("e", json!("AQAA"))]),
        ("no exponent", vec![with("e", json!(""))]),
    ] {
        assert_eq!(judge_at(&token, &key_set(&keys), NOW).unwrap_err(), failed(Check::Signature), "{name}");
    }
    let small = judge_at(&weak().token(&claims()), &key_set(&[weak().jwk()]), NOW);
    assert_eq!(small.unwrap_err(), failed(Check::Signature), "1024 bits");
    let keys = [with("issuer", json!("https://login.microsoftonline.com/{tenantid}/v2.0")), two().jwk(), json!(7)];
    assert!(judge_at(&token, &key_set(&keys), NOW).is_ok(), "its own key among others");
}

#[test]
fn a_document_without_a_list_of_keys_is_none() {
    for text in
        ["", "{}", "[]", "null", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, r#"{"keys":[]"#]
    {
        assert!(KeySet::read(text.as_bytes(), ISSUER, &tenant()).is_none(), "{text}");
    }
}

/// Attack 8: a replayed token has the nonce of another sign-in.
#[test]
fn a_token_of_another_sign_in_proves_nothing() {
    let values = [json!(""), json!("nonce"), json!(format!("{NONCE} ")), json!("NONCE-OF-THIS-SIGN-IN")];
    assert_rows(claim_rows("nonce", failed(Check::Nonce), values));
    assert_rows([("a list", one().token(&claims_with("nonce", json!([NONCE]))), failed(Check::Claims))]);
}

/// Attack 12, and the members of §6 of attack 13.
#[test]
fn only_a_member_whose_home_is_the_tenant_may_act() {
    let membership = [json!(1), json!(2), json!("0"), json!(0.5), json!(-1), json!(false), Value::Null, json!([0])];
    assert_rows(claim_rows("acct", not_home(Check::Membership), membership));
    let foreign = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let homes = [
        json!(foreign),
        json!("live.com"),
        json!(""),
        json!(format!("https://sts.windows.net/{TENANT}/{OTHER_TENANT}")),
        json!(format!("{foreign}?{TENANT}")),
        json!([ISSUER]),
        Value::Null,
    ];
    let rows = homes.map(|home| ("idp", one().token(&claims_with("idp", home)), not_home(Check::Home)));
    assert_rows(rows);
    for home in [ISSUER.to_owned(), format!("https://sts.windows.net/{TENANT}/")] {
        assert!(judge(&one().token(&claims_with("idp", json!(home)))).is_ok(), "{home}");
    }
    let accounts = [json!(""), json!("ada"), json!(7), Value::Null, json!([ACCOUNT]), json!(format!("{{{ACCOUNT}}}"))];
    assert_rows(claim_rows("oid", not_home(Check::Account), accounts));
}

/// Attack 13: a person without an account in the tenant, such as a partner's delegated administrator.
#[test]
fn a_person_without_an_account_may_not_act() {
    let mut outsider = claims_with("idp", json!(format!("https://sts.windows.net/{OTHER_TENANT}/")));
    outsider["altsecid"] = json!("5::10032001");
    for claim in ["oid", "wids"] {
        outsider.as_object_mut().unwrap().remove(claim);
    }
    let mut delegated = outsider.clone();
    delegated["wids"] = json!([GLOBAL_ADMINISTRATOR]);
    let with_account = claims_with("altsecid", json!("5::10032001"));
    assert_rows([
        ("an outsider", one().token(&outsider), not_home(Check::Account)),
        ("a delegated administrator", one().token(&delegated), not_home(Check::Account)),
        ("an account with altsecid", one().token(&with_account), not_home(Check::Outsider)),
    ]);
}

/// Attack 14.
#[test]
fn names_and_addresses_decide_nothing() {
    let mut impostor = claims_with("oid", json!("22222222-2222-4222-8222-222222222222"));
    impostor["email"] = json!("ada@contoso.example");
    impostor["upn"] = json!("ada@contoso.example");
    impostor["unique_name"] = json!("ada@contoso.example");
    let person = judge(&one().token(&impostor)).unwrap();
    assert_eq!(person.person_id, "22222222-2222-4222-8222-222222222222");
    impostor["wids"] = json!([]);
    assert_eq!(judge(&one().token(&impostor)).unwrap_err(), SignInError::NotAnApprover);
}

/// Attack 15.
#[test]
fn only_an_accepted_role_in_a_list_makes_an_approver() {
    let values = [
        json!([]),
        json!(["fe930be7-5e62-47db-91af-98c3a49a38b1"]),
        json!(GLOBAL_ADMINISTRATOR),
        json!([GLOBAL_ADMINISTRATOR.to_uppercase()]),
        json!([[GLOBAL_ADMINISTRATOR]]),
        json!({GLOBAL_ADMINISTRATOR: true}),
        json!([format!("{GLOBAL_ADMINISTRATOR} ")]),
        Value::Null,
    ];
    assert_rows(claim_rows("wids", SignInError::NotAnApprover, values));
}

#[test]
fn the_first_accepted_role_that_the_person_has_is_recorded() {
    let delegated = "fc8ad4e2-40e4-4724-8317-bcda7503ecbf";
    let roles = [delegated.to_owned(), GLOBAL_ADMINISTRATOR.to_owned()];
    let tenant = tenant();
    let expected = Expected {
        issuer: ISSUER,
        tenant: &tenant,
        client_id: CLIENT,
        nonce: NONCE,
        max_age_seconds: MAX_AGE,
        now: Timestamp::from_millis(NOW * 1000),
    };
    let token = one().token(&claims_with("wids", json!([GLOBAL_ADMINISTRATOR, delegated])));
    let person = prove(&Token::parse(&token).unwrap(), &key_set(&[one().jwk()]), &expected, &roles).unwrap();
    assert_eq!(person.approver_role, delegated);
}

/// Attack 16. Its boundaries are in `skew`.
#[test]
fn an_old_sign_in_proves_nothing() {
    let values = [json!(NOW - 3600), json!(0), json!(-1), json!(NOW + 3600), json!(i64::MAX), json!(i64::MIN)];
    assert_rows(claim_rows("auth_time", failed(Check::Freshness), values));
}

/// Attack 17. Its boundaries are in `skew`.
#[test]
fn times_are_whole_numbers_near_now() {
    let far =
        [json!(0), json!(-1), json!(NOW - 3600), json!(NOW + 10 * 365 * 86_400), json!(i64::MAX), json!(i64::MIN)];
    assert_rows(claim_rows("exp", failed(Check::Expiry), far));
    let far = [json!(0), json!(-1), json!(NOW - 3600), json!(NOW + 3600), json!(i64::MAX), json!(i64::MIN)];
    assert_rows(claim_rows("iat", failed(Check::IssuedAt), far));
    for value in [json!(-1), json!(NOW + 3600), json!(i64::MAX), json!(i64::MIN)] {
        assert_rows([("nbf", one().token(&claims_with("nbf", value)), failed(Check::NotBefore))]);
    }
    assert!(judge(&one().token(&claims_without("nbf"))).is_ok());
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in
            [json!(NOW.to_string()), json!("never"), Value::Null, json!(NOW as f64 + 0.5), json!([NOW]), json!(true)]
        {
            assert_rows([(claim, one().token(&claims_with(claim, value)), failed(Check::Claims))]);
        }
        let huge = claims().to_string().replacen(&format!("\"{claim}\":"), &format!("\"{claim}\":1e999,\"x\":"), 1);
        assert_rows([(claim, one().of_texts(&one().header().to_string(), &huge), failed(Check::Claims))]);
    }
}

#[test]
fn version_and_subject_are_required() {
    assert_rows(claim_rows("ver", failed(Check::Version), [json!("1.0"), json!("2"), json!("")]));
    assert_rows([("a number", one().token(&claims_with("ver", json!(2.0))), failed(Check::Claims))]);
    assert_rows(claim_rows("sub", failed(Check::Subject), [json!("")]));
}

#[test]
fn a_claim_that_occurs_twice_is_refused() {
    let honest = claims();
    for (name, value) in honest.as_object().unwrap() {
        let payload = format!("{{\"{name}\":{value},{}", &honest.to_string()[1..]);
        let token = one().of_texts(&one().header().to_string(), &payload);
        assert_rows([("twice", token, failed(Check::Claims))]);
    }
}

#[test]
fn claims_are_one_json_object() {
    let honest = claims().to_string();
    for payload in
        ["", "null", "[]", "7", &honest[1..], &format!("{honest}{honest}"), &format!("[{honest}]"), "\u{feff}{}"]
    {
        let token = one().of_texts(&one().header().to_string(), payload);
        assert_eq!(judge(&token).unwrap_err(), failed(Check::Claims), "{payload}");
    }
    let deep = format!("{{\"acct\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_rows([("deep", one().of_texts(&one().header().to_string(), &deep), failed(Check::Claims))]);
}
