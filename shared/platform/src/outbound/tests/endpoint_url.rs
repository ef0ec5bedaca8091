use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::super::UrlFault::{
    self, Address, Character, Fragment, Host, LocalName, NotAscii, NotNormalized, Port, Scheme, TooLong, Userinfo,
};
use super::super::{EndpointUrl, Loopback};

fn parse(text: &str) -> Result<EndpointUrl, UrlFault> {
    EndpointUrl::parse(text, Loopback::Refused)
}

#[rustfmt::skip]
const HOSTILE: &[(&str, UrlFault)] = &[
    // Schemes.
    ("", Scheme), ("hooks.example.com", Scheme), ("//hooks.example.com/", Scheme),
    ("http://hooks.example.com/", Scheme),
    ("file:///proc/self/environ", Scheme), ("gopher://hooks.example.com/", Scheme),
    ("ftp://hooks.example.com/", Scheme),
    ("javascript:alert(1)", Scheme), ("data:,x", Scheme), ("https:/hooks.example.com/", Scheme), ("https:", Scheme),
    ("https:hooks.example.com", Scheme), ("https//hooks.example.com", Scheme), ("httpss://hooks.example.com", Scheme),
    ("wss://hooks.example.com/", Scheme), ("jar:https://hooks.example.com!/", Scheme),
    ("http://127.0.0.1:9001/", Scheme),
    ("http://169.254.169.254/latest/meta-data/", Scheme),
    // Characters.
    (" https://hooks.example.com/", Character), ("https://hooks.example.com/ ", Character),
    ("https://hooks.example.com/a b", Character), ("https://hooks.example.com\t/", Character),
    ("ht\ntps://hooks.example.com/", Character), ("https://hooks.example.com/\r\nhost: x.example", Character),
    ("https://hooks.example.com/\0", Character), ("https://hooks.example.com\\@evil.example/", Character),
    ("https:\\\\hooks.example.com/", Character), ("https://hooks.example.com/\u{7f}", Character),
    ("https://hooks.example.com/<x>", Character), ("https://hooks.example.com/{x}", Character),
    ("https://hooks.example.com/\"", Character), ("https://hooks.example.com/`id`", Character),
    ("https://hooks.example.com/a|b^c", Character), ("https://hooks.example.com/%", Character),
    ("https://hooks.example.com/%4", Character), ("https://hooks.example.com/%zz", Character),
    ("https://hooks.example.com/%u0041", Character),
    ("https://b\u{fc}cher.example/", NotAscii), ("https://p\u{430}ypal.com/", NotAscii),
    ("https://hooks.example.com/\u{e9}", NotAscii), ("https://hooks\u{3002}example\u{3002}com/", NotAscii),
    ("https://hooks.example.com\u{ff0f}x", NotAscii), ("https://\u{2460}\u{2461}\u{2462}.example.com/", NotAscii),
    ("https://127\u{ff0e}0.0.1/", NotAscii), ("https://\u{ff11}27.0.0.1/", NotAscii),
    ("https://hooks.exam\u{ad}ple.com/", NotAscii), ("https://hooks.example.com/\u{85}", NotAscii),
    ("https://hooks.example.com/\u{202e}", NotAscii), ("\u{feff}https://hooks.example.com/", NotAscii),
    // Userinfo and fragment.
    ("https://user@hooks.example.com/", Userinfo), ("https://user:secret@hooks.example.com/", Userinfo),
    ("https://@hooks.example.com/", Userinfo), ("https://:@hooks.example.com/", Userinfo),
    ("https://hooks.example.com@127.0.0.1/", Userinfo), ("https://hooks.example.com:443@evil.example/", Userinfo),
    ("https://a@b@hooks.example.com/", Userinfo), ("https://%61@hooks.example.com/", Userinfo),
    ("https://hooks.example.com/#", Fragment), ("https://hooks.example.com#@evil.example/", Fragment),
    ("https://hooks.example.com/a?b#c", Fragment), ("https://hooks.example.com:443#.x.example", Fragment),
    // Ports.
    ("https://hooks.example.com:80/", Port), ("https://hooks.example.com:22/", Port),
    ("https://hooks.example.com:9001/", Port), ("https://hooks.example.com:0/", Port),
    ("https://hooks.example.com:/", Port), ("https://hooks.example.com:0443/", Port),
    ("https://hooks.example.com:+443/", Port), ("https://hooks.example.com:65979/", Port),
    ("https://hooks.example.com:443:443/", Port), ("https://hooks.example.com:443.example.com/", Port),
    ("https://hooks.example.com:-1/", Port), ("https://hooks.example.com:0x1bb/", Port),
    ("https://hooks.example.com:https/", Port), ("https://::1/", Port), ("https://::ffff:127.0.0.1/", Port),
    // Addresses in every spelling.
    ("https://127.0.0.1/", Address), ("https://127.0.0.1:8443/", Address), ("https://127.0.0.1./", Address),
    ("https://127.1/", Address), ("https://127.0.1/", Address), ("https://2130706433/", Address),
    ("https://017700000001/", Address), ("https://0177.0.0.1/", Address), ("https://0177.0.0.01/", Address),
    ("https://0x7f000001/", Address), ("https://0x7f.0.0.1/", Address), ("https://127.0.0.0x1/", Address),
    ("https://0X7F.0x0.0X0.0X1/", Address), ("https://0x/", Address), ("https://0/", Address),
    ("https://0.0.0.0/", Address),
    ("https://169.254.169.254/latest/meta-data/", Address), ("https://169.254.43518/", Address),
    ("https://2852039166/", Address), ("https://8.8.8.8/", Address), ("https://256.256.256.256/", Address),
    ("https://1.2.3.4.5/", Address), ("https://99999999999999999999/", Address), ("https://hooks.example.1/", Address),
    ("https://hooks.example.0x1/", Address), ("https://hooks.example.0xzz/", Host),
    ("https://192.168.0.1?x", Address),
    ("https://[::1]/", Address), ("https://[::]/", Address), ("https://[::ffff:127.0.0.1]/", Address),
    ("https://[::ffff:7f00:1]/", Address), ("https://[::127.0.0.1]/", Address), ("https://[fe80::1%25eth0]/", Address),
    ("https://[64:ff9b::7f00:1]/", Address), ("https://[0:0:0:0:0:0:0:1]:8443/", Address),
    ("https://[2606:4700:4700::1111]/", Address), ("https://[fd00:ec2::254]/", Address),
    ("https://[hooks.example.com]/", Address), ("https://[127.0.0.1]/", Address), ("https://[]/", Address),
    ("https://[v1.x]/", Address), ("https://hooks.example.com]/", Address),
    ("https://[::1]hooks.example.com/", Address),
    // Paths and queries that parsers rewrite.
    ("https://a.example//a/../b;c", NotNormalized), ("https://a.example/.", NotNormalized),
    ("https://a.example/%2E%2e/x", NotNormalized), ("https://a.example/./", NotNormalized),
    ("https://a.example/?it's", NotNormalized),
    // Names.
    ("https://", Host), ("https:///", Host), ("https:///hooks.example.com/", Host), ("https://?x", Host),
    ("https://:443/", Host), ("https://localhost/", Host), ("https://com/", Host), ("https://hooks/", Host),
    ("https://hooks.example.com./", Host), ("https://localhost./", Host), ("https://./", Host), ("https://../", Host),
    ("https://.example.com/", Host), ("https://hooks..example.com/", Host), ("https://-hooks.example.com/", Host),
    ("https://hooks-.example.com/", Host), ("https://hooks.example.-com/", Host), ("https://hooks.example.com-/", Host),
    ("https://ho_oks.example.com/", Host), ("https://*.example.com/", Host), ("https://hooks.example.c%6fm/", Host),
    ("https://%6c%6f%63%61%6c%68%6f%73%74/", Host), ("https://127.0.0.1%2f.example.com/", Host),
    ("https://hooks.example.com%00.x.example/", Host), ("https://hooks.example.com;x/", Host),
    ("https://hooks.example.com,evil.example/", Host), ("https://hooks!.example.com/", Host),
    ("https://hooks.example.com&x/", Host), ("https://hooks.example.1com/", Host),
    ("https://hooks.example.xn--/", Host),
    ("https://printer.local/", LocalName), ("https://a.b.LOCAL/", LocalName), ("https://vault.internal/", LocalName),
    ("https://metadata.google.internal/", LocalName), ("https://ip-10-0-0-1.eu-west-1.compute.internal/", LocalName),
    ("https://app.localhost/", LocalName), ("https://app.LocalHost:8443/", LocalName),
    ("https://nas.home.arpa/", LocalName),
    ("https://home.arpa/", LocalName), ("https://abcdefghij234567.onion/", LocalName),
];

#[test]
fn hostile_urls_are_refused() {
    assert!(HOSTILE.len() >= 60, "{}", HOSTILE.len());
    for (text, fault) in HOSTILE {
        assert_eq!(parse(text), Err(*fault), "{text:?}");
        let allowed = EndpointUrl::parse(text, Loopback::Allowed);
        assert!(allowed.is_err() || *text == "http://127.0.0.1:9001/", "{text:?}");
    }
}

#[test]
fn lengths_are_limited_to_the_character() {
    let with_path = |length: usize| format!("https://hooks.example.com/{}", "a".repeat(length - 26));
    assert!(parse(&with_path(2048)).is_ok());
    assert_eq!(parse(&with_path(2049)), Err(TooLong));
    assert_eq!(parse(&with_path(2_000_000)), Err(TooLong));
    let without_path = format!("https://hooks.example.com?{}", "a".repeat(2022));
    assert_eq!(parse(&without_path), Err(TooLong), "its normalized form has 2049 characters");
    let (label, long_label) = ("d".repeat(63), "d".repeat(64));
    assert!(parse(&format!("https://{label}.example/")).is_ok());
    assert_eq!(parse(&format!("https://{long_label}.example/")), Err(Host));
    let name = |last: usize| format!("https://{label}.{label}.{label}.{}/", "d".repeat(last));
    assert!(parse(&name(61)).is_ok());
    assert_eq!(parse(&name(62)), Err(Host));
}

#[test]
fn an_endpoint_url_is_split_into_its_parts() {
    for (text, host, port, target) in [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("HTTPS://Hooks.Example.COM/In/A", "hooks.example.com", 443, "/In/A"),
        ("https://A.Example:443/", "a.example", 443, "/"),
        ("https://a.example:8443?q=A%2f", "a.example", 8443, "/?q=A%2f"),
        ("https://a.example?@[x]:", "a.example", 443, "/?@[x]:"),
        ("https://xn--bcher-kva.example//a/b;c", "xn--bcher-kva.example", 443, "//a/b;c"),
        ("https://127.0.0.1.example/", "127.0.0.1.example", 443, "/"),
        ("https://notlocal.example/", "notlocal.example", 443, "/"),
        ("https://internal.thislocal/", "internal.thislocal", 443, "/"),
    ] {
        let url = parse(text).unwrap();
        assert_eq!((url.host(), url.port(), url.target()), (host, port, target), "{text}");
        let authority = if port == 443 { host.to_owned() } else { format!("{host}:{port}") };
        assert_eq!(url.authority(), authority, "{text}");
        assert!(!url.is_loopback(), "{text}");
    }
}

#[test]
fn equivalent_spellings_have_one_normalized_url() {
    for (text, kept) in [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("HTTPS://Hooks.Example.COM/In/A", "https://hooks.example.com/In/A"),
        ("hTTps://A.Example:443?Q", "https://a.example/?Q"),
        ("https://a.example:8443/%2F%2f", "https://a.example:8443/%2F%2f"),
    ] {
        let url = parse(text).unwrap();
        assert_eq!((url.as_str(), url.to_string().as_str()), (kept, kept));
        assert_eq!(url, parse(kept).unwrap());
    }
}

#[test]
fn loopback_has_one_spelling_and_must_be_allowed() {
    for (text, port, target) in [
        ("http://127.0.0.1:3000", 3000, "/"),
        ("http://127.0.0.1:1/a?b", 1, "/a?b"),
        ("http://127.0.0.1:65535?b", 65535, "/?b"),
    ] {
        assert_eq!(parse(text), Err(Scheme), "{text}");
        let url = EndpointUrl::parse(text, Loopback::Allowed).unwrap();
        let normalized = format!("http://127.0.0.1:{port}{target}");
        assert_eq!((url.host(), url.port(), url.target()), ("127.0.0.1", port, target));
        assert_eq!(url.as_str(), normalized);
        assert_eq!(url.authority(), format!("127.0.0.1:{port}"));
        assert!(url.is_loopback());
    }
    #[rustfmt::skip]
    let others = [
        "http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1:", "http://127.0.0.1:0/", "http://127.0.0.1:080/",
        "http://127.0.0.1:65536/", "http://127.0.0.1:+80/", "http://127.0.0.1:80@x.example/", "http://127.0.0.1:80:80/",
        "HTTP://127.0.0.1:80/", "http://127.0.0.2:80/", "http://127.1:80/", "http://localhost:80/", "http://[::1]:80/",
        "http://x@127.0.0.1:80/", "https://127.0.0.1:80/", "http://127.0.0.1.:80/", "http://127.0.0.1:80/#",
        "http://127.0.0.1:80\\", "http://127.0.0.1:80@127.0.0.1/", "http://127.0.0.1:8080/a/../b",
    ];
    for text in others {
        assert!(EndpointUrl::parse(text, Loopback::Allowed).is_err(), "{text}");
    }
}

#[test]
fn every_fault_states_the_requirement() {
    for fault in
        [TooLong, NotAscii, Character, Scheme, Userinfo, Fragment, Port, Address, Host, LocalName, NotNormalized]
    {
        assert!(fault.detail().is_ascii() && fault.detail().starts_with("must "));
        assert_eq!(fault.to_string(), fault.detail());
    }
    assert!(NotAscii.detail().contains("punycode"));
}

/// URLs made of the parts of hostile ones.
fn composed() -> impl Strategy<Value = String> {
    #[rustfmt::skip]
    let pieces = prop::sample::select(vec![
        "https://", "HTTPS://", "http://", "hooks", "example", ".com", ".", ".Local", ".internal", "127.0.0.1",
        "0x7f", "0177",
        "2130706433", "1", "a", "xn--", "-", "_", "@", ":", ":443", ":8443", ":80", "/", "//", "\\", "?", "#", "%",
        "%2e", "%00",
        "[", "]", "::1", "::ffff:", ";", "&", "=", " ", "\t", "\r\n", "\0", "\u{e9}", "\u{3002}", "..", "/../",
        "user", "*",
    ]);
    let tail = prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![
        tail.clone(),
        tail.clone().prop_map(|tail| format!("https://{tail}")),
        tail.clone().prop_map(|tail| format!("https://hooks.example.com{tail}")),
        (tail.clone(), tail).prop_map(|(before, after)| format!("https://{before}example.com{after}")),
        any::<String>().prop_map(|any| format!("https://{any}.example.com/{any}")),
    ]
}

/// What is true of every accepted URL.
fn assert_harmless(url: &EndpointUrl) {
    let text = url.as_str();
    assert!(text.starts_with("https://") && text.len() <= 2048, "{text}");
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"\\#\"<>^`{|}".contains(&b)), "{text}");
    assert!(url.target().starts_with('/') && text.ends_with(url.target()), "{text}");
    assert!(url.host().parse::<IpAddr>().is_err() && !url.host().contains(['@', ':', '[', ']', '%', '_']), "{text}");
    assert!(url.host().split('.').count() >= 2 && !url.host().ends_with('.'), "{text}");
    assert!([".local", ".internal", ".localhost"].iter().all(|top| !url.host().ends_with(top)), "{text}");
    assert!(matches!(url.port(), 443 | 8443), "{text}");
    assert_eq!(parse(text).as_ref(), Ok(url), "a stored URL parses to itself");
}

/// The HTTP library must see the same host, port and target.
fn assert_the_http_library_agrees(url: &EndpointUrl) {
    let http: http::Uri = url.as_str().parse().unwrap();
    assert_eq!(http.host(), Some(url.host()));
    assert_eq!(http.port_u16().unwrap_or(443), url.port());
    assert!(url.target().parse::<http::uri::PathAndQuery>().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_accepted_url_is_harmless_and_unambiguous(text in composed()) {
        if let Ok(url) = parse(&text) {
            assert_harmless(&url);
            assert_the_http_library_agrees(&url);
        }
    }

    #[test]
    fn ordinary_endpoint_urls_are_accepted(
        host in "([a-z][a-z0-9]{0,9}\\.){1,3}(com|example|io)(:443|:8443)?",
        path in "(/([a-zA-Z0-9_~!$&'()*+,;=:@-][a-zA-Z0-9._~!$&'()*+,;=:@-]{0,8})?){0,3}",
        query in "(\\?([a-z0-9=&+/?]|%[0-9a-fA-F]{2}){0,9})?",
    ) {
        let text = format!("https://{host}{path}{query}");
        let url = parse(&text).unwrap();
        assert_harmless(&url);
        assert_the_http_library_agrees(&url);
    }

    #[test]
    fn addresses_are_refused_in_every_spelling(bits in any::<u32>(), spelling in 0_usize..9) {
        let [a, b, c, d] = Ipv4Addr::from_bits(bits).octets();
        let (low, mapped) = (bits & 0xff_ffff, Ipv4Addr::from_bits(bits).to_ipv6_mapped());
        let text = match spelling {
            0 => format!("{a}.{b}.{c}.{d}"),
            1 => format!("{bits}"),
            2 => format!("{bits:#x}"),
            3 => format!("0{bits:o}"),
            4 => format!("{a}.{low}"),
            5 => format!("0{a:o}.{b:#x}.{c}.{d}"),
            6 => format!("[{mapped}]"),
            7 => format!("[::{a}.{b}.{c}.{d}]"),
            _ => format!("{a:#X}.{b}.{}", bits & 0xffff),
        };
        prop_assert_eq!(parse(&format!("https://{text}/")), Err(Address), "{}", text);
        let dotted = parse(&format!("https://{text}./"));
        prop_assert!(dotted.is_err());
    }
}
