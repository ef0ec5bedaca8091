//! Delegated administration: what a partner asks for, and what a customer granted.

use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{GrantId, GrantState, InvitationId, PartnerId, PartnerStatus, TenantId, Timestamp};

/// Reads `P<n>D` with 1 ≤ n, at most four digits, no leading zero: the one form of ISO 8601 durations in use here.
pub fn parse_days(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('P')?.strip_suffix('D')?;
    let plain =
        (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

/// Roles for a time: asked for in an invitation, or granted in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedAdmin {
    /// Directory roles, sorted, each once.
    pub roles: Vec<String>,
    /// How long, in days of 24 hours.
    pub days: u32,
    /// Whether the grant extends itself at its end.
    pub auto_extend: bool,
}

impl DelegatedAdmin {
    /// Whether this asks for nothing beyond `asked`: no other role, no longer time, no extension of its own (MP-19).
    pub fn is_within(&self, asked: &Self) -> bool {
        self.roles.iter().all(|role| asked.roles.contains(role))
            && self.days <= asked.days
            && (asked.auto_extend || !self.auto_extend)
    }
}

/// The customer's word on delegated administration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantAnswer {
    /// Nothing was said.
    Absent,
    /// All that was asked.
    AsRequested,
    /// None of it.
    Refused,
    /// This much.
    Narrowed(DelegatedAdmin),
}

/// Why a word can't stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantRefusal {
    /// Something was asked, and nothing was said to it.
    NothingSaid,
    /// Nothing was asked, and something was said to it.
    NothingAsked,
    /// It can be narrowed here, but not refused (MP-14).
    Required,
    /// More was granted than was asked (MP-19).
    Exceeds,
}

impl GrantAnswer {
    /// What is granted, if this answers what was asked.
    ///
    /// # Errors
    /// [`GrantRefusal::NothingSaid`] or [`GrantRefusal::NothingAsked`].
    pub fn resolve(&self, asked: Option<&DelegatedAdmin>) -> Result<Option<DelegatedAdmin>, GrantRefusal> {
        match (self, asked) {
            (Self::Absent, None) | (Self::Refused, Some(_)) => Ok(None),
            (Self::AsRequested, Some(asked)) => Ok(Some(asked.clone())),
            (Self::Narrowed(admin), Some(_)) => Ok(Some(admin.clone())),
            (Self::Absent, Some(_)) => Err(GrantRefusal::NothingSaid),
            (_, None) => Err(GrantRefusal::NothingAsked),
        }
    }

    /// What is granted under every rule; `required` when it can't be refused.
    ///
    /// # Errors
    /// [`GrantRefusal`].
    pub fn decide(
        &self,
        asked: Option<&DelegatedAdmin>,
        required: bool,
    ) -> Result<Option<DelegatedAdmin>, GrantRefusal> {
        let granted = self.resolve(asked)?;
        match (&granted, asked) {
            (None, Some(_)) if required => Err(GrantRefusal::Required),
            (Some(admin), Some(asked)) if !admin.is_within(asked) => Err(GrantRefusal::Exceeds),
            _ => Ok(granted),
        }
    }
}

/// What is to be announced of a grant at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantNotice {
    /// It ends in so many days.
    Expiring(u32),
    /// Its time is over.
    Expired,
    /// It has extended itself.
    Extended,
}

/// Days before its end at which a grant that doesn't extend itself is announced.
const NOTICE_DAYS: [u32; 3] = [30, 7, 1];

/// Delegated administration that a customer granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Its id; the tail is its invitation's.
    pub grant_id: GrantId,
    /// Who holds it.
    pub partner_id: PartnerId,
    /// Who gave it.
    pub customer: TenantId,
    /// Roles, time, extension as granted.
    pub admin: DelegatedAdmin,
    /// When it began.
    pub starts_at: Timestamp,
    /// Days by which it extends itself; 0 when it doesn't.
    pub extension_days: u32,
    /// The invitation that started the relationship's period it belongs to.
    pub period: InvitationId,
    /// When a side ended it.
    pub ended_at: Option<Timestamp>,
    /// Where its events stand.
    pub chain: Chain,
}

impl Grant {
    /// When it ends as things stand: extensions that are due are counted in.
    pub fn ends_at(&self, now: Timestamp) -> Timestamp {
        let first = self.starts_at.plus_days(self.admin.days);
        if self.extension_days == 0 || now < first {
            return first;
        }
        let step = i64::from(self.extension_days) * 86_400_000;
        let times = (now.millis() - first.millis()) / step + 1;
        first.plus_millis(times.saturating_mul(step))
    }

    /// What is to be announced next after a time, and when; `None` when nothing is left.
    pub fn next_notice(&self, after: Timestamp) -> Option<(Timestamp, GrantNotice)> {
        if self.extension_days > 0 {
            return Some((self.ends_at(after), GrantNotice::Extended));
        }
        let end = self.ends_at(self.starts_at);
        let notices = NOTICE_DAYS.iter().map(|days| (end.minus_days(*days), GrantNotice::Expiring(*days)));
        notices.chain([(end, GrantNotice::Expired)]).find(|(at, _)| *at > after)
    }

    /// What is to be announced at exactly this time.
    pub fn notice_at(&self, at: Timestamp) -> Option<GrantNotice> {
        self.next_notice(at.plus_millis(-1)).filter(|(due, _)| *due == at).map(|(_, notice)| notice)
    }

    /// Its state. `period_end` is when the relationship's period it belongs to ended; `None` while that is active. A grant
    /// whose own time was over before that has expired, and stays so.
    pub fn state(&self, now: Timestamp, period_end: Option<Timestamp>, partner: PartnerStatus) -> GrantState {
        let over = self.ended_at.or(period_end);
        let at = over.unwrap_or(now);
        if self.ended_at.is_none() && self.ends_at(at) <= at {
            GrantState::Expired
        } else if over.is_some() {
            GrantState::Ended
        } else if partner == PartnerStatus::Suspended {
            GrantState::Suspended
        } else {
            GrantState::Active
        }
    }

    /// Its next event.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject {
            grant_id: Some(self.grant_id.clone()),
            invitation_id: Some(self.grant_id.invitation()),
            partner_id: Some(self.partner_id.clone()),
            customer_tenant_id: Some(self.customer.clone()),
            ..Subject::default()
        };
        Event::next(event_type, self.grant_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// The end that readers see. It is fixed once the grant or the relationship's period is over.
    pub fn effective_end(&self, now: Timestamp, period_end: Option<Timestamp>) -> Timestamp {
        match self.ended_at.or(period_end) {
            Some(over) => self.ends_at(over).min(over),
            None => self.ends_at(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest;

    #[test]
    fn only_whole_days_are_a_duration() {
        assert_eq!(parse_days("P365D"), Some(365));
        for wrong in
            ["", "P", "PD", "P0D", "P01D", "-P1D", "P1Y", "PT0.1S", "P9999999999Y", "P99999D", "p1d", "P1D ", "P٣D"]
        {
            assert_eq!(parse_days(wrong), None, "{wrong}");
        }
    }

    fn grant(extension_days: u32) -> Grant {
        let id = InvitationId::from_hash(&digest("t", &[]));
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        Grant {
            grant_id: GrantId::of(&id),
            partner_id: PartnerId::of(&tenant),
            customer: tenant,
            admin: DelegatedAdmin { roles: vec!["global_reader".into()], days: 10, auto_extend: extension_days > 0 },
            starts_at: Timestamp::from_millis(0),
            extension_days,
            period: id,
            ended_at: None,
            chain: Chain::default(),
        }
    }

    #[test]
    fn a_grant_ends_to_the_millisecond_and_extends_itself_for_ever() {
        let plain = grant(0);
        let end = Timestamp::from_millis(0).plus_days(10);
        let state = |grant: &Grant, at| grant.state(at, None, PartnerStatus::Active);
        assert_eq!(state(&plain, end.plus_millis(-1)), GrantState::Active);
        assert_eq!(state(&plain, end), GrantState::Expired);
        let extended = grant(180);
        assert_eq!(extended.ends_at(end.plus_millis(-1)), end);
        assert_eq!(extended.ends_at(end), end.plus_days(180));
        assert_eq!(extended.ends_at(end.plus_days(180)), end.plus_days(360));
        assert_eq!(state(&extended, end.plus_days(10_000)), GrantState::Active);
    }

    #[test]
    fn what_expired_before_its_relationship_ended_stays_expired() {
        let plain = grant(0);
        let end = plain.starts_at.plus_days(10);
        let state = |period_end| plain.state(end.plus_days(100), Some(period_end), PartnerStatus::Active);
        assert_eq!(state(end.plus_millis(-1)), GrantState::Ended);
        assert_eq!(state(end), GrantState::Expired);
        let shown_end = |period_end| plain.effective_end(end.plus_days(100), Some(period_end));
        assert_eq!(shown_end(end.plus_millis(-1)), end.plus_millis(-1));
        assert_eq!(shown_end(end.plus_days(1)), end);
        assert_eq!(grant(180).state(end, Some(end), PartnerStatus::Active), GrantState::Ended);
    }

    #[test]
    fn notices_come_thirty_seven_and_one_day_before_the_end_unless_it_extends_itself() {
        let plain = Grant { admin: DelegatedAdmin { days: 40, ..grant(0).admin }, ..grant(0) };
        let mut at = plain.starts_at;
        let mut notices = Vec::new();
        while let Some((due, notice)) = plain.next_notice(at) {
            assert_eq!(plain.notice_at(due), Some(notice));
            notices.push(((due.millis() - plain.starts_at.millis()) / 86_400_000, notice));
            at = due;
        }
        use GrantNotice::{Expired, Expiring};
        assert_eq!(notices, [(10, Expiring(30)), (33, Expiring(7)), (39, Expiring(1)), (40, Expired)]);
        assert_eq!(grant(0).next_notice(grant(0).starts_at).unwrap().1, Expiring(7), "too short for the first");
        let extended = grant(180);
        let end = extended.starts_at.plus_days(10);
        assert_eq!(extended.next_notice(extended.starts_at), Some((end, GrantNotice::Extended)));
        assert_eq!(extended.next_notice(end), Some((end.plus_days(180), GrantNotice::Extended)));
    }
}
