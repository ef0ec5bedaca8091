use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::super::is_public;

/// A refused block: its first and last address, and whether the addresses before and after it are public.
#[rustfmt::skip]
const BLOCKS: &[(&str, &str, bool, bool)] = &[
    ("0.0.0.0", "0.255.255.255", false, true),
    ("10.0.0.0", "10.255.255.255", true, true),
    ("100.64.0.0", "100.127.255.255", true, true),
    ("127.0.0.0", "127.255.255.255", true, true),
    ("169.254.0.0", "169.254.255.255", true, true),
    ("172.16.0.0", "172.31.255.255", true, true),
    ("192.0.0.0", "192.0.0.255", true, true),
    ("192.0.2.0", "192.0.2.255", true, true),
    ("192.88.99.0", "192.88.99.255", true, true),
    ("192.168.0.0", "192.168.255.255", true, true),
    ("198.18.0.0", "198.19.255.255", true, true),
    ("198.51.100.0", "198.51.100.255", true, true),
    ("203.0.113.0", "203.0.113.255", true, true),
    ("224.0.0.0", "239.255.255.255", true, false),
    ("240.0.0.0", "255.255.255.255", false, false),
    // `::`, `::1`, and addresses that contain one of IPv4.
    ("::", "::ffff:ffff", false, false),
    ("::ffff:0:0", "::ffff:ffff:ffff", false, false),
    ("64:ff9b::", "64:ff9b::ffff:ffff", false, false),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", false, false),
    ("100::", "100::ffff:ffff:ffff:ffff", false, false),
    // Everything below global unicast.
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, true),
    // Protocol assignments: the whole block, then Teredo.
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", true, true),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", true, false),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", false, false),
    ("2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true, true),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, true),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", true, true),
    // Everything above global unicast.
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, false),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false),
];

fn neighbor(ip: IpAddr, step: i8) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().checked_add_signed(step.into()).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(ip) => ip.to_bits().checked_add_signed(step.into()).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

#[test]
fn each_block_is_refused_exactly_from_its_first_to_its_last_address() {
    for (first, last, before, after) in BLOCKS {
        let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
        assert!(!is_public(first) && !is_public(last), "{first} to {last}");
        assert_eq!(neighbor(first, -1).is_some_and(is_public), *before, "before {first}");
        assert_eq!(neighbor(last, 1).is_some_and(is_public), *after, "after {last}");
    }
}

#[test]
fn metadata_services_and_loopback_are_refused_in_every_form() {
    #[rustfmt::skip]
    let targets = [
        "127.0.0.1", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "169.254.169.254",
        "169.254.170.2", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254",
        "0.0.0.0", "::",
        "255.255.255.255", "100.100.100.200", "192.0.0.192", "2001:0:7f00:1::", "fe80::1", "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ];
    for text in targets {
        assert!(!is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn public_addresses_are_allowed() {
    for text in ["8.8.8.8", "1.1.1.1", "52.94.236.248", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::1"]
    {
        assert!(is_public(text.parse().unwrap()), "{text}");
    }
}

proptest! {
    #[test]
    fn addresses_that_the_standard_library_considers_local_are_refused(bits in any::<u128>()) {
        let [.., a, b, c, d] = bits.to_be_bytes();
        let v4 = Ipv4Addr::new(a, b, c, d);
        let local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast();
        prop_assert!(!(is_public(v4.into()) && (local || v4.is_multicast() || v4.is_documentation())));
        let v6 = Ipv6Addr::from_bits(bits);
        let local = v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast();
        prop_assert!(!(is_public(v6.into()) && local));
    }

    #[test]
    fn ipv6_addresses_that_contain_an_ipv4_address_are_refused(bits in any::<u32>()) {
        let low = u128::from(bits);
        let embedded = [low, 0xffff << 32 | low, 0x64_ff9b << 96 | low, 0x2002 << 112 | low << 80, 0x2001 << 112 | low];
        for form in embedded {
            prop_assert!(!is_public(Ipv6Addr::from_bits(form).into()));
        }
    }
}
