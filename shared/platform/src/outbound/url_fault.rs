/// Why a text cannot be the URL of an endpoint. Contains no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub enum UrlFault {
    TooLong,
    NotAscii,
    /// A character that is not allowed in URLs, or a `%` without two hexadecimal digits (RFC 3986 §2).
    Character,
    /// Not `https`.
    Scheme,
    /// A user name or password before the host.
    Userinfo,
    Fragment,
    /// A port other than 443 and 8443.
    Port,
    /// An IP address instead of a name, in any spelling, or brackets.
    Address,
    /// Not a host name of two labels or more.
    Host,
    /// A name that is not in the public internet.
    LocalName,
    /// A path or query that other parsers may rewrite.
    NotNormalized,
}

impl UrlFault {
    /// What is required, for the caller of the API.
    pub fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "must have at most 2048 characters",
            Self::NotAscii => {
                "must be ASCII: the host in its punycode (xn--) form, other characters percent-encoded as UTF-8"
            }
            Self::Character => {
                "must not contain a space, a backslash, a control character, or another character that URLs \
                 percent-encode"
            }
            Self::Scheme => "must begin with https://",
            Self::Userinfo => "must not contain a user name or password",
            Self::Fragment => "must not contain a fragment",
            Self::Port => "must use port 443 or 8443",
            Self::Address => "must contain a host name, not an IP address",
            Self::Host => {
                "must contain a host name of two labels or more, each of letters, digits and inner hyphens, without a \
                 trailing dot"
            }
            Self::LocalName => "must contain a host name of the public internet",
            Self::NotNormalized => {
                "must be normalized: a path without the segments . and .., and %27 instead of ' in the query"
            }
        }
    }
}
