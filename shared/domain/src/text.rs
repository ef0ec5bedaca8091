//! Text that people write and read: names, reasons, messages, addresses. Text that cannot be shown safely is rejected. Only
//! line breaks, the edges of a message and domain names are changed. Text is not normalized, so a composed and a decomposed
//! `é` are different texts.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// Maximum bytes of an email address: RFC 5321 §4.5.3.1.3 allows a path of 256, including two angle brackets.
const MAX_EMAIL: usize = 254;
/// Maximum bytes before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Maximum bytes of a domain name as text without a trailing dot (RFC 1035 §2.3.4: 255 in a message).
const MAX_DOMAIN: usize = 253;
/// Maximum bytes between two dots (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// Why a text is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub enum TextError {
    Empty,
    TooLong,
    /// Whitespace is first or last.
    Padded,
    /// A character is invisible, or changes how others are shown.
    Forbidden,
    /// Not an address that [`email`] accepts.
    Email,
    /// Not a name that [`domain_name`] or [`a_labels`] accepts.
    Domain,
    /// It mixes scripts, so that it may look like another name.
    Scripts,
}

impl TextError {
    /// What is expected, for the caller of the API. Does not contain the value.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Empty => "must not be empty",
            Self::TooLong => "has too many characters",
            Self::Padded => "must not begin or end with whitespace",
            Self::Forbidden => {
                "must not contain control, text-direction, invisible or private-use characters; a message may contain \
                 line breaks and tabs; U+200C and U+200D are allowed between letters of Arabic, Indic and similar scripts"
            }
            Self::Email => {
                "must be an email address (local@domain) of at most 254 bytes, with an unquoted local part of at most 64 \
                 bytes"
            }
            Self::Domain => {
                "must be a domain name with at least two labels and at most 253 characters as A-labels, without a \
                 trailing dot"
            }
            Self::Scripts => {
                "must not mix scripts in a way that looks like another name (UTS #39, at least highly restrictive)"
            }
        }
    }
}

/// Checks a text shown on one line, such as a name or a reason: 1 to `max_chars` characters, counted as Unicode scalar
/// values.
///
/// # Errors
/// `Empty`, `TooLong`, `Padded`, or `Forbidden` for a control character (including line breaks and tabs), a text-direction,
/// zero-width or otherwise invisible character, a tag, a noncharacter or a private-use character. The joiners U+200C and
/// U+200D are allowed only between letters of scripts that they shape, where Persian and Indic spellings need them. Between
/// Latin letters they would be invisible, so that two names look the same. Joined emoji are not possible either.
pub fn line(value: &str, max_chars: usize) -> Result<String, TextError> {
    display(value, max_chars, |_| false).map(str::to_owned)
}

/// Checks the name of a partner, which customers rely on: as [`line()`], and its letters must not mix scripts (UTS #39,
/// restriction level "highly restrictive" or better).
///
/// # Errors
/// As [`line()`], and `Scripts`.
pub fn partner_name(value: &str, max_chars: usize) -> Result<String, TextError> {
    let name = display(value, max_chars, |_| false)?;
    // The level is about identifiers, in which spaces and punctuation do not occur.
    let letters: String = name.chars().filter(|c| c.is_alphanumeric() || c.identifier_allowed()).collect();
    let is_restrictive = letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive);
    if is_restrictive { Ok(name.to_owned()) } else { Err(TextError::Scripts) }
}

/// Checks a text of several lines, such as a message to a customer: as [`line()`], but LF and tab are allowed inside. CRLF
/// becomes LF, and whitespace at the edges is removed.
///
/// # Errors
/// As [`line()`], except `Padded`.
pub fn paragraph(value: &str, max_chars: usize) -> Result<String, TextError> {
    let value = value.replace("\r\n", "\n");
    display(value.trim(), max_chars, |c| matches!(c, '\n' | '\t')).map(str::to_owned)
}

fn display(value: &str, max_chars: usize, allowed: fn(char) -> bool) -> Result<&str, TextError> {
    if value.is_empty() {
        return Err(TextError::Empty);
    }
    // Before the scan, so that a long text costs no more than the limit.
    if value.chars().nth(max_chars).is_some() {
        return Err(TextError::TooLong);
    }
    let mut before = None;
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = is_joiner(c) && before.is_some_and(ends_letter) && rest.peek().copied().is_some_and(begins_letter);
        if is_forbidden(c) && !allowed(c) && !joins {
            return Err(TextError::Forbidden);
        }
        before = Some(c);
    }
    if value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace) {
        return Err(TextError::Padded);
    }
    Ok(value)
}

/// U+200C ZERO WIDTH NON-JOINER and U+200D ZERO WIDTH JOINER.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// A letter of these scripts, or a virama, which ends a letter of an Indic script (RFC 5892 appendix A).
fn ends_letter(c: char) -> bool {
    let virama = matches!(
        c,
        '\u{94D}'
            | '\u{9CD}'
            | '\u{A4D}'
            | '\u{ACD}'
            | '\u{B4D}'
            | '\u{BCD}'
            | '\u{C4D}'
            | '\u{CCD}'
            | '\u{D4D}'
            | '\u{DCA}'
            | '\u{E3A}'
            | '\u{F84}'
            | '\u{1039}'
            | '\u{103A}'
            | '\u{17D2}'
            | '\u{1A60}'
            | '\u{1B44}'
            | '\u{A8C4}'
            | '\u{A9C0}'
            | '\u{ABED}'
    );
    virama || begins_letter(c)
}

/// A letter of a script in which a joiner changes how letters are drawn.
fn begins_letter(c: char) -> bool {
    c.is_alphabetic() && shapes_with_joiners(c)
}

/// Arabic, Syriac, the Indic and other scripts in which a joiner changes how letters are drawn. In Latin it is invisible.
fn shapes_with_joiners(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{109F}' | '\u{1700}'..='\u{1CFF}' | '\u{A840}'..='\u{ABFF}' | '\u{10A00}'..='\u{11FFF}')
}

/// Unicode's `Default_Ignorable_Code_Point` without the variation selectors (which Japanese names and Mongolian need), and
/// every line break, control, private-use character and noncharacter.
pub fn is_forbidden(c: char) -> bool {
    let invisible = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180E}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}');
    let private = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}');
    let noncharacter = matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE;
    c.is_control() || invisible || private || noncharacter
}

/// Checks an email address (RFC 5321 `Dot-string "@" Domain`, with the local parts of RFC 6531) and writes its domain as
/// [`a_labels`] does. The local part is unchanged, because only the receiving server knows how to compare it.
///
/// # Errors
/// `Email` for anything else: quoted local parts, address literals, domains that [`a_labels`] rejects, and all whitespace,
/// control and invisible characters, so that an address cannot inject a header.
pub fn email(value: &str) -> Result<String, TextError> {
    let (local, domain) = value.split_once('@').ok_or(TextError::Email)?;
    if value.len() > MAX_EMAIL || !is_local_part(local) {
        return Err(TextError::Email);
    }
    let domain = a_labels(domain).map_err(|_| TextError::Email)?;
    let address = format!("{local}@{domain}");
    if address.len() <= MAX_EMAIL { Ok(address) } else { Err(TextError::Email) }
}

/// Checks a domain name in ASCII and writes it in lower case. An internationalized name must be written as `xn--` labels.
///
/// # Errors
/// `Domain` if the name has fewer than two labels or more than 253 characters, if a label is not 1 to 63 of `A–Z a–z 0–9 -`
/// or begins or ends with a hyphen, or if the last label does not begin with a letter. Every top-level domain begins with a
/// letter; an IPv4 address in any notation does not.
pub fn domain_name(value: &str) -> Result<String, TextError> {
    if is_domain(value) { Ok(value.to_ascii_lowercase()) } else { Err(TextError::Domain) }
}

/// As [`domain_name`]; an internationalized name is accepted too and written as A-labels (UTS #46), so that look-alike
/// letters of other scripts are visible.
///
/// # Errors
/// As [`domain_name`], and `Domain` for a name that is not valid in UTS #46 or has invisible characters.
pub fn a_labels(value: &str) -> Result<String, TextError> {
    if value.is_ascii() {
        return domain_name(value);
    }
    if value.len() > 4 * MAX_DOMAIN || value.chars().any(|c| is_forbidden(c) && !is_joiner(c)) {
        return Err(TextError::Domain);
    }
    let ascii = Uts46::new().to_ascii(value.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    domain_name(&ascii.map_err(|_| TextError::Domain)?)
}

fn is_local_part(local: &str) -> bool {
    let is_atext = |c: char| match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        // RFC 6531 section 3.3 allows all other characters.
        _ => !c.is_whitespace() && !is_forbidden(c),
    };
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atext);
    local.len() <= MAX_LOCAL_PART && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= MAX_DOMAIN
        && domain.split('.').all(is_label)
        && domain.rsplit_once('.').is_some_and(|(_, top)| top.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters that neither a line nor a paragraph may contain: one of each kind, and the edges of each range.
    #[rustfmt::skip]
    const FORBIDDEN: &[u32] = &[
        // Controls.
        0x00, 0x01, 0x08, 0x0B, 0x0C, 0x0D, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F,
        // Direction.
        0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069,
        // Invisible, or a blank that is not whitespace.
        0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x2060, 0x2064, 0x2065, 0x206A,
        0x206F, 0x3164, 0xFEFF, 0xFFA0, 0xFFF0, 0x1BCA0, 0x1D173,
        // Line and paragraph separators, annotations, tags.
        0x2028, 0x2029, 0xFFF9, 0xFFFA, 0xFFFB, 0xE0000, 0xE0001, 0xE0020, 0xE007F, 0xE0FFF,
        // Private use.
        0xE000, 0xF8FF, 0xF0000, 0xFFFFD, 0x100000, 0x10FFFD,
        // Noncharacters.
        0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x1FFFF, 0xEFFFF, 0xFFFFF, 0x10FFFE, 0x10FFFF,
    ];

    fn forbidden() -> impl Iterator<Item = char> {
        FORBIDDEN.iter().map(|code| char::from_u32(*code).unwrap())
    }

    #[test]
    fn names_in_many_scripts_pass_unchanged() {
        for name in [
            "A",
            "Contoso Ltd. & Söhne (Zürich)",
            "Œuvre – “Ltd”",
            "Ελλάς Α.Ε.",
            "ООО Ромашка",
            "株式会社サンプル",
            "辻\u{E0100}",
            "شركة المثال",
            "חברה בע״מ",
            "บริษัท ตัวอย่าง",
            "हिन्दी लिमिटेड",
            "O’Neil\u{A0}SA",
            "<b>&amp;\"'",
            "😀",
            "❤\u{FE0F}",
            "e\u{301}",
            "ß",
            "ı",
        ] {
            assert_eq!(line(name, 60), Ok(name.to_owned()), "{name}");
            assert_eq!(paragraph(name, 60), Ok(name.to_owned()), "{name}");
        }
    }

    #[test]
    fn invisible_and_direction_characters_are_rejected_at_every_position() {
        for c in forbidden() {
            for text in [format!("{c}"), format!("{c}ab"), format!("a{c}b"), format!("ab{c}")] {
                assert_eq!(line(&text, 60), Err(TextError::Forbidden), "{text:?}");
                // Whitespace at the edges of a paragraph is removed.
                let is_trimmed = text.trim() != text;
                assert!(is_trimmed || paragraph(&text, 60) == Err(TextError::Forbidden), "{text:?}");
            }
        }
    }

    #[test]
    fn the_neighbors_of_forbidden_ranges_pass() {
        for code in [
            0x20, 0x7E, 0xA0, 0xAC, 0xAE, 0x200A, 0x2010, 0x2027, 0x202F, 0x205F, 0x2070, 0x3163, 0xD7FF, 0xF900,
            0xFDCF, 0xFDF0, 0xFE00, 0xFE0F, 0xFFA1, 0xFFFC, 0xFFFD, 0x1FFFD, 0x20000, 0xE0100, 0xE01EF,
        ] {
            let text = format!("a{}b", char::from_u32(code).unwrap());
            assert_eq!(line(&text, 3), Ok(text.clone()), "{code:x}");
        }
    }

    #[test]
    fn line_breaks_and_tabs_are_allowed_inside_a_paragraph_only() {
        for text in ["a\nb", "a\tb", "a\n\n\tb"] {
            assert_eq!(line(text, 60), Err(TextError::Forbidden), "{text:?}");
            assert_eq!(paragraph(text, 60), Ok(text.to_owned()), "{text:?}");
        }
        for text in ["a\rb", "a\n\rb", "a\r\r\nb"] {
            assert_eq!(paragraph(text, 60), Err(TextError::Forbidden), "{text:?}");
        }
        for text in ["a\r\nb", "a\rb"] {
            assert_eq!(line(text, 60), Err(TextError::Forbidden), "{text:?}");
        }
    }

    #[test]
    fn whitespace_at_the_edges_of_a_line_is_rejected() {
        for edge in [" ", "\u{A0}", "\u{1680}", "\u{2003}", "\u{202F}", "\u{205F}", "\u{3000}"] {
            for text in [edge.to_owned(), format!("{edge}a"), format!("a{edge}"), format!("a b{edge}{edge}")] {
                assert_eq!(line(&text, 60), Err(TextError::Padded), "{text:?}");
            }
        }
        for text in ["\n", "\na", "a\n", "\ta", "a\t"] {
            assert_eq!(line(text, 60), Err(TextError::Forbidden), "{text:?}");
        }
    }

    #[test]
    fn a_message_is_trimmed_and_its_line_breaks_become_lf() {
        for (text, expected) in [
            ("a\r\nb", "a\nb"),
            ("\r\n a\r\n\r\nb \t\r\n", "a\n\nb"),
            (" a ", "a"),
            ("\u{3000}a\u{A0}", "a"),
            ("\ta\tb\n", "a\tb"),
        ] {
            assert_eq!(paragraph(text, 60).as_deref(), Ok(expected), "{text:?}");
        }
        for text in [" ", "\r\n", "\t\n "] {
            assert_eq!(paragraph(text, 60), Err(TextError::Empty), "{text:?}");
        }
        assert_eq!(paragraph(&format!("  {}\r\n", "x".repeat(60)), 60).map(|text| text.len()), Ok(60));
    }

    #[test]
    fn joiners_are_allowed_between_letters_only() {
        for name in ["می\u{200C}خواهم", "श्री क्\u{200D}ष", "ශ්\u{200D}රී ලංකා"] {
            assert_eq!(line(name, 60).as_deref(), Ok(name));
            assert_eq!(paragraph(name, 60).as_deref(), Ok(name));
        }
        for joiner in ['\u{200C}', '\u{200D}'] {
            for text in [
                format!("{joiner}"),
                format!("{joiner}م"),
                format!("م{joiner}"),
                format!("م {joiner}م"),
                format!("م{joiner} م"),
                format!("م{joiner}{joiner}م"),
                format!("1{joiner}م"),
                format!("م{joiner}1"),
                format!("👩{joiner}👩"),
                format!("a{joiner}b"),
                format!("م{joiner}b"),
                format!("а{joiner}б"),
            ] {
                assert_eq!(line(&text, 60), Err(TextError::Forbidden), "{text:?}");
                assert_eq!(paragraph(&text, 60), Err(TextError::Forbidden), "{text:?}");
            }
        }
    }

    #[test]
    fn the_name_of_a_partner_does_not_mix_scripts() {
        for name in [
            "Fabrikam",
            "Contoso Ltd. & Söhne (Zürich) 24/7",
            "Œuvre – “Ltd”",
            "O’Neil\u{A0}SA",
            "Ελλάς Α.Ε.",
            "ООО Ромашка",
            "株式会社サンプル Sample",
            "サンプル ABC",
            "주식회사 Sample",
            "شركة المثال",
            "می\u{200C}خواهم",
            "חברה בע״מ",
            "บริษัท ตัวอย่าง",
            "हिन्दी लिमिटेड",
            "ශ්\u{200D}රී ලංකා",
            "e\u{301}",
            "24",
        ] {
            assert_eq!(partner_name(name, 60).as_deref(), Ok(name), "{name}");
        }
        for name in [
            "F\u{430}brikam",
            "Fabrikam\u{3BF}",
            "ООО Romashka",
            "\u{1D405}abrikam",
            "\u{FF26}abrikam",
            "Sample ตัวอย่าง",
        ] {
            assert_eq!(partner_name(name, 60), Err(TextError::Scripts), "{name}");
        }
        assert_eq!(partner_name("", 60), Err(TextError::Empty));
        for name in ["a\u{202E}b", "Fab\u{200D}rikam"] {
            assert_eq!(partner_name(name, 60), Err(TextError::Forbidden));
        }
        assert_eq!(partner_name("abc", 2), Err(TextError::TooLong));
    }

    #[test]
    fn length_is_counted_in_scalar_values() {
        assert_eq!(line("", 60), Err(TextError::Empty));
        assert_eq!(paragraph("", 60), Err(TextError::Empty));
        for (text, chars) in [("abc", 3), ("\u{e9}", 1), ("e\u{301}", 2), ("😀😀", 2), ("株式会社", 4)] {
            assert!(line(text, chars).is_ok(), "{text}");
            assert_eq!(line(text, chars - 1), Err(TextError::TooLong), "{text}");
        }
        assert_eq!(line(&"x".repeat(1_000_000), 200), Err(TextError::TooLong));
        assert_eq!(paragraph(&"\0".repeat(1_000_000), 2_000), Err(TextError::TooLong));
        assert_eq!(line("a", usize::MAX), Ok("a".to_owned()));
    }

    #[test]
    fn composed_and_decomposed_text_is_different() {
        assert_ne!(line("\u{e9}", 2), line("e\u{301}", 2));
    }

    #[test]
    fn an_email_address_keeps_its_local_part_and_gets_a_lower_case_domain() {
        let longest_local = format!("{}@example.com", "a".repeat(64));
        let label = "d".repeat(63);
        let longest = format!("{}@{label}.{label}.{}.com", "a".repeat(64), "d".repeat(57));
        assert_eq!(longest.len(), 254);
        for (address, expected) in [
            ("a@b.co", "a@b.co"),
            ("Ann.Lee+Tag@Example.COM", "Ann.Lee+Tag@example.com"),
            ("!#$%&'*+-/=?^_`{|}~@x-y.example", "!#$%&'*+-/=?^_`{|}~@x-y.example"),
            ("0@0.museum", "0@0.museum"),
            ("x@XN--MNCHEN-3YA.de", "x@xn--mnchen-3ya.de"),
            ("josé@example.com", "josé@example.com"),
            ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
            ("a@Bücher.example", "a@xn--bcher-kva.example"),
            ("a@example\u{3002}com", "a@example.com"),
            (&longest_local, &longest_local),
            (&longest, &longest),
        ] {
            assert_eq!(email(address).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn anything_but_a_plain_email_address_is_rejected() {
        let label = "d".repeat(63);
        let total_255 = format!("{}@{label}.{label}.{}.com", "a".repeat(64), "d".repeat(58));
        assert_eq!(total_255.len(), 255);
        let local_65 = format!("{}@example.com", "a".repeat(65));
        let label_64 = format!("a@{}.com", "d".repeat(64));
        let megabyte = format!("{}@example.com", "a".repeat(1_000_000));
        #[rustfmt::skip]
        let not_addresses = [
            "", "@", "a", "a@", "@example.com", "example.com", "a@b", "a@@example.com", "a@b@example.com",
            "\"a b\"@example.com", "\"a\"@example.com", "a\\b@example.com", "a(c)@example.com", "<a@example.com>",
            "Ann <a@example.com>", "mailto:a@example.com", "a@example.com,b@example.com", "a;b@example.com",
            "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@127.1", "a@1.0x7f", "a@example.123", "a@example.com.",
            "a@.example.com", "a@example..com", "a@-example.com", "a@example-.com", "a@example.-com",
            "a@exa_mple.com", ".a@example.com", "a.@example.com", "a..b@example.com", ".@example.com",
            " a@example.com", "a@example.com ", "a b@example.com", "a@exam ple.com", "a@example.com\n",
            "a@example.com\r\nBcc: x@y.zz", "a\r\nBcc:x@example.com", "a\t@example.com", "a\0@example.com",
            "a@example.com\0", "é é@example.com", "\u{A0}a@example.com", "a@b\u{FC}cher", "a\u{FF20}example.com", "a\u{200B}@example.com", "a@example.com\u{202E}", "a@example.com?cc=x",
            "a@example.com:25", "a@example.com/x", &local_65, &label_64, &total_255, &megabyte,
        ];
        for address in not_addresses {
            assert_eq!(email(address), Err(TextError::Email), "{address:?}");
        }
    }

    #[test]
    fn a_domain_name_is_returned_in_lower_case() {
        let label = "d".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "d".repeat(61));
        assert_eq!(longest.len(), 253);
        for (name, expected) in [
            ("example.com", "example.com"),
            ("Contoso.OnMicrosoft.COM", "contoso.onmicrosoft.com"),
            ("a.b", "a.b"),
            ("3com.example", "3com.example"),
            ("127.0.0.1.example", "127.0.0.1.example"),
            ("x--y.example", "x--y.example"),
            ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
            ("example.xn--p1ai", "example.xn--p1ai"),
            (&longest, &longest),
        ] {
            assert_eq!(domain_name(name).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_internationalized_domain_name_is_written_as_a_labels() {
        for (name, expected) in [
            ("Example.COM", "example.com"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("faß.example", "xn--fa-hia.example"),
            ("раураl.com", "xn--l-7sba6dbr.com"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
            ("نامه\u{200C}ای.com", "xn--mgba3gch31f060k.com"),
            ("ｅxample.com", "example.com"),
            ("\u{212A}elvin.example", "kelvin.example"),
        ] {
            assert_eq!(a_labels(name).as_deref(), Ok(expected), "{name}");
        }
        let long = format!("{}.example", "ü".repeat(63));
        #[rustfmt::skip]
        let not_names = [
            "ü", "ü.", ".ü", "ü..example", "-ü.example", "ü-.example", "ü_.example", "ü .example", "*.ü", "ü.1", "ü.example:443",
            "exam\u{AD}ple.com", "ex\u{200B}ample.com", "a\u{200D}b.com", "a\u{202E}b.com", "\u{301}a.example", &long,
        ];
        for name in not_names {
            assert_eq!(a_labels(name), Err(TextError::Domain), "{name:?}");
        }
    }

    #[test]
    fn anything_but_an_ascii_domain_name_is_rejected() {
        let label = "d".repeat(63);
        let total_254 = format!("{label}.{label}.{label}.{}", "d".repeat(62));
        let label_64 = format!("{}.com", "d".repeat(64));
        #[rustfmt::skip]
        let not_names = [
            "", ".", "com", "localhost", ".com", "example.", "example.com.", "example..com", "-a.com", "a-.com",
            "a.-b", "a.b-", "xn--.com", "a_b.com", "*.example.com", "127.0.0.1", "0x7f.1", "127.0x1", "2130706433",
            "1.2", "[::1]", "::1", "example.com:443", "https://example.com", "example.com/", "a@example.com",
            " example.com", "example.com ", "exam ple.com", "example.com\n", "example.com\r\nHost: x.y",
            "example\0.com", "раураl.com", "pаypal.com", "bücher.example", "faß.example", "ıstanbul.example",
            "\u{212A}elvin.example", "example\u{3002}com", "example\u{FF0E}com", "ｅxample.com", "exam\u{AD}ple.com",
            "exam\u{200D}ple.com", &label_64, &total_254,
        ];
        for name in not_names {
            assert_eq!(domain_name(name), Err(TextError::Domain), "{name:?}");
        }
    }

    #[test]
    fn a_look_alike_domain_name_is_a_different_name() {
        assert_ne!(domain_name("xn--80ak6aa92e.com"), domain_name("apple.com"));
        assert_eq!(domain_name("раураl.com"), Err(TextError::Domain));
    }

    #[test]
    fn every_error_has_a_detail_in_ascii() {
        use TextError::{Domain, Email, Empty, Forbidden, Padded, Scripts, TooLong};
        for error in [Empty, TooLong, Padded, Forbidden, Email, Domain, Scripts] {
            assert!(error.detail().is_ascii() && !error.detail().is_empty());
            assert_eq!(error.to_string(), error.detail());
        }
    }

    proptest! {
        #[test]
        fn an_accepted_text_is_unchanged(text in any::<String>(), max in 0_usize..80) {
            let trimmed = text.replace("\r\n", "\n").trim().to_owned();
            for (accepted, expected) in [(line(&text, max), &text), (paragraph(&text, max), &trimmed)] {
                let Ok(accepted) = accepted else { continue };
                prop_assert_eq!(&accepted, expected);
                prop_assert!((1..=max).contains(&accepted.chars().count()));
                prop_assert_eq!(accepted.trim(), accepted.as_str());
                prop_assert!(!accepted.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                prop_assert!(forbidden().all(|c| !accepted.contains(c)));
            }
        }

        #[test]
        fn an_accepted_address_is_accepted_again_unchanged(text in "[a-zA-Z.+@ -]{0,30}") {
            if let Ok(address) = email(&text) {
                prop_assert_eq!(email(&address), Ok(address.clone()));
                prop_assert!(address.eq_ignore_ascii_case(&text));
                prop_assert_eq!(address.matches('@').count(), 1);
            }
        }

        #[test]
        fn an_accepted_domain_name_is_accepted_again_unchanged(text in "[a-zA-Z0-9.-]{0,30}|\\PC{0,30}") {
            if let Ok(name) = a_labels(&text) {
                prop_assert_eq!(domain_name(&name), Ok(name.clone()));
                prop_assert!(!text.is_ascii() || name.eq_ignore_ascii_case(&text));
                prop_assert!(email(&["a@", &name].concat()).is_ok());
            }
        }
    }
}
