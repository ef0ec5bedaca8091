//! Reads the fields of a line into the members of a request. What can be checked without the server is checked here, so that a
//! rehearsal shows it. Limits such as the length of a name are the server's.

use domain::{BillingCycle, Cloud, Date, Market, PartnerId, SubscriptionId, TenantId, Term, Timestamp, text};
use serde_json::{Map, Value, json};

use super::header::Named;

/// Maximum characters of a text here. The server's limits are lower.
const MAX_CHARACTERS: usize = 4096;

pub struct Fields<'a> {
    named: &'a Named<'a>,
    members: Map<String, Value>,
    faults: Vec<String>,
}

impl<'a> Fields<'a> {
    pub fn new(named: &'a Named<'a>) -> Self {
        Self { named, members: Map::new(), faults: Vec::new() }
    }

    /// The members that were read.
    pub fn take(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.members)
    }

    pub fn into_faults(self) -> Vec<String> {
        self.faults
    }

    pub fn is_given(&self, name: &str) -> bool {
        self.named.get(name).is_some()
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.named.get(name).is_some_and(|field| field.eq_ignore_ascii_case(value))
    }

    pub fn tenant(&mut self, name: &'static str) -> Option<TenantId> {
        let read = |field: &str| TenantId::parse(field);
        self.parsed(name, true, "a tenant id (a UUID) is expected", read, |tenant| json!(tenant))
    }

    pub fn partner(&mut self, name: &'static str) -> Option<PartnerId> {
        let read = |field: &str| PartnerId::parse(&field.to_ascii_lowercase());
        self.parsed(name, true, "a partner id (ptr_…) is expected", read, |partner| json!(partner))
    }

    pub fn subscription(&mut self, name: &'static str) -> Option<SubscriptionId> {
        let expected = "1 to 64 characters of A–Z a–z 0–9 . _ - are expected";
        self.parsed(name, true, expected, SubscriptionId::parse, |id| json!(id.as_str()))
    }

    pub fn cloud(&mut self, name: &'static str) {
        let read = |field: &str| Cloud::parse(&field.to_ascii_lowercase());
        self.parsed(name, true, "`public` or `us_gov` is expected", read, |cloud| json!(cloud));
    }

    pub fn market(&mut self, name: &'static str) {
        let expected = "an assigned ISO 3166-1 alpha-2 code is expected, for example US or GB";
        let read = |field: &str| Market::parse_assigned(&field.to_ascii_uppercase());
        self.parsed(name, true, expected, read, |market| json!(market));
    }

    pub fn domain(&mut self, name: &'static str) {
        self.text(name, false, |field| text::a_labels(&field.to_lowercase()));
    }

    /// A text of one line.
    pub fn line(&mut self, name: &'static str, is_required: bool) {
        self.text(name, is_required, |field| text::line(field, MAX_CHARACTERS));
    }

    /// A text that may have line breaks.
    pub fn paragraph(&mut self, name: &'static str) {
        self.text(name, false, |field| text::paragraph(field, MAX_CHARACTERS));
    }

    pub fn email(&mut self, name: &'static str) {
        self.text(name, false, text::email);
    }

    pub fn number(&mut self, name: &'static str, is_required: bool) {
        let read = |field: &str| field.parse::<u64>().ok().filter(|number| *number > 0);
        self.parsed(name, is_required, "a whole number from 1 is expected", read, |number| json!(number));
    }

    pub fn date(&mut self, name: &'static str) {
        let expected = "a date is expected, for example 2026-11-22";
        self.parsed(name, false, expected, Date::parse, |date| json!(date));
    }

    /// A time, or a date as its first moment in UTC.
    pub fn since(&mut self, name: &'static str) {
        let expected = "a date or an RFC 3339 time is expected, for example 2024-05-01 or 2024-05-01T09:30:00Z";
        let read = |field: &str| {
            let midnight = Date::parse(field).map(|date| format!("{date}T00:00:00Z"));
            Timestamp::parse_with_offset(midnight.as_deref().unwrap_or(field))
        };
        self.parsed(name, true, expected, read, |since| json!(since));
    }

    /// `billing_cycle` and `term`, which must fit.
    pub fn billing(&mut self) {
        let expected = "monthly, annual, triennial or one_time is expected";
        let read = |field: &str| BillingCycle::parse(&field.to_ascii_lowercase());
        let cycle = self.parsed("billing_cycle", true, expected, read, |cycle| json!(cycle));
        let read = |field: &str| Term::parse(&field.to_ascii_uppercase());
        let term = self.parsed("term", true, "P1M, P1Y or P3Y is expected", read, |term| json!(term));
        if let (Some(cycle), Some(term)) = (cycle, term)
            && !cycle.fits(term)
        {
            self.fault("billing_cycle", "a billing cycle that is not longer than the term is expected");
        }
    }

    /// `roles`, `duration` and `auto_extend`. Without roles the invitation asks for no delegated administration.
    pub fn delegated_admin(&mut self) {
        let duration = self.named.get("duration").map(str::to_ascii_uppercase);
        let auto_extend = self.flag("auto_extend");
        let Some(roles) = self.named.get("roles") else {
            if duration.is_some() || auto_extend.is_some() {
                self.fault("roles", "roles are expected, because `duration` or `auto_extend` is given");
            }
            self.members.insert("delegated_admin".to_owned(), Value::Null);
            return;
        };
        let Some(duration) = duration else {
            return self.fault("duration", "a duration is expected with roles, for example P365D");
        };
        let mut roles: Vec<_> = roles.split([' ', ',', ';']).filter(|role| !role.is_empty()).collect();
        roles.sort_unstable();
        roles.dedup();
        let mut asked = json!({"roles": roles, "duration": duration});
        if let Some(auto_extend) = auto_extend {
            asked["auto_extend"] = json!(auto_extend);
        }
        self.members.insert("delegated_admin".to_owned(), asked);
    }

    fn flag(&mut self, name: &'static str) -> Option<bool> {
        let flag = self.named.get(name)?.parse_flag();
        if flag.is_none() {
            self.fault(name, "true or false is expected");
        }
        flag
    }

    fn text(&mut self, name: &'static str, is_required: bool, read: impl Fn(&str) -> Result<String, text::TextError>) {
        match self.named.get(name).map(read) {
            Some(Ok(text)) => drop(self.members.insert(name.to_owned(), json!(text))),
            Some(Err(error)) => self.fault(name, error.detail()),
            None if is_required => self.fault(name, "a value is expected"),
            None => {}
        }
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        is_required: bool,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
        value: impl Fn(&T) -> Value,
    ) -> Option<T> {
        let Some(field) = self.named.get(name) else {
            if is_required {
                self.fault(name, expected);
            }
            return None;
        };
        let parsed = read(field);
        match &parsed {
            Some(parsed) => drop(self.members.insert(name.to_owned(), value(parsed))),
            None => self.fault(name, expected),
        }
        parsed
    }

    fn fault(&mut self, name: &str, expected: &str) {
        self.faults.push(format!("`{name}`: {expected}"));
    }
}

trait Flag {
    fn parse_flag(&self) -> Option<bool>;
}

impl Flag for str {
    fn parse_flag(&self) -> Option<bool> {
        match self.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}
