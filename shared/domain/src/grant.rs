//! Delegated administration: what a partner asks for, and what a customer grants.

use std::time::Duration;

use serde_json::Value;

use super::{
    Chain, Event, EventType, GrantId, GrantState, InvitationId, Occurrence, PartnerId, PartnerStatus, Subject,
    TenantId, Timestamp,
};

/// Reads `P<n>D`, an ISO 8601 duration of 1 to 9999 days without leading zeros. `None` for any other text.
pub fn parse_days(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('P')?.strip_suffix('D')?;
    let plain =
        (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if plain { digits.parse().ok() } else { None }
}

/// Roles for a time: asked for in an invitation, or granted in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedAdmin {
    /// Directory roles, sorted, without duplicates.
    pub roles: Vec<String>,
    /// Days of 24 hours.
    pub days: u32,
    /// Whether the grant extends itself at its end.
    pub auto_extend: bool,
}

impl DelegatedAdmin {
    /// Whether this is no more than `asked`: no other role, no longer time, no extension that was not asked for (MP-19).
    pub fn is_within(&self, asked: &Self) -> bool {
        self.roles.iter().all(|role| asked.roles.contains(role))
            && self.days <= asked.days
            && (asked.auto_extend || !self.auto_extend)
    }
}

/// What a customer grants of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedPart {
    /// Directory roles, sorted, without duplicates.
    pub roles: Vec<String>,
    /// `None` for as many days as were asked for.
    pub days: Option<u32>,
    /// Whether the grant extends itself at its end.
    pub auto_extend: bool,
}

impl GrantedPart {
    fn resolve(&self, asked: &DelegatedAdmin) -> DelegatedAdmin {
        DelegatedAdmin {
            roles: self.roles.clone(),
            days: self.days.unwrap_or(asked.days),
            auto_extend: self.auto_extend,
        }
    }
}

/// The customer's decision on delegated administration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantDecision {
    /// The request has no decision.
    Absent,
    AsRequested,
    Refused,
    Narrowed(GrantedPart),
}

/// Why a decision is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantDecisionError {
    /// Delegated administration was asked for, but the decision is absent.
    Missing,
    /// Delegated administration was not asked for, but there is a decision.
    Unexpected,
    /// Delegated administration can be narrowed here, but not refused (MP-14).
    Required,
    /// More was granted than was asked for (MP-19).
    ExceedsRequest,
}

impl GrantDecision {
    /// What is granted; `None` if nothing was asked for or all of it was refused.
    ///
    /// # Errors
    /// [`GrantDecisionError::Missing`] or [`GrantDecisionError::Unexpected`].
    pub fn resolve(&self, asked: Option<&DelegatedAdmin>) -> Result<Option<DelegatedAdmin>, GrantDecisionError> {
        match (self, asked) {
            (Self::Absent, None) | (Self::Refused, Some(_)) => Ok(None),
            (Self::AsRequested, Some(asked)) => Ok(Some(asked.clone())),
            (Self::Narrowed(part), Some(asked)) => Ok(Some(part.resolve(asked))),
            (Self::Absent, Some(_)) => Err(GrantDecisionError::Missing),
            (_, None) => Err(GrantDecisionError::Unexpected),
        }
    }

    /// As [`resolve`](Self::resolve), and checks the rules. With `required`, the customer cannot refuse.
    ///
    /// # Errors
    /// Any [`GrantDecisionError`].
    pub fn check(
        &self,
        asked: Option<&DelegatedAdmin>,
        required: bool,
    ) -> Result<Option<DelegatedAdmin>, GrantDecisionError> {
        let granted = self.resolve(asked)?;
        match (&granted, asked) {
            (None, Some(_)) if required => Err(GrantDecisionError::Required),
            (Some(admin), Some(asked)) if !admin.is_within(asked) => Err(GrantDecisionError::ExceedsRequest),
            _ => Ok(granted),
        }
    }
}

/// What a grant is reduced to. An absent member stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    pub roles: Option<Vec<String>>,
    /// Also turns off the extension.
    pub ends_at: Option<Timestamp>,
    /// Turning it off keeps the end that is shown.
    pub auto_extend: Option<bool>,
}

/// A change that is not a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNarrower;

/// What an event announces about a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantNotice {
    /// The grant ends in this many days.
    Expiring(u32),
    Expired,
    Extended,
}

/// Days before the end at which `grant.expiring` is sent, unless the grant extends itself.
const NOTICE_DAYS: [u32; 3] = [30, 7, 1];

/// Delegated administration that a customer granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Has the same 26 characters as the id of its invitation.
    pub grant_id: GrantId,
    pub partner_id: PartnerId,
    pub customer: TenantId,
    /// What it gives now. A narrowing takes roles away or turns off the extension; `days` stays as it was granted.
    pub admin: DelegatedAdmin,
    pub starts_at: Timestamp,
    /// The end that a narrowing set. It replaces the duration.
    pub fixed_end: Option<Timestamp>,
    /// Days by which the grant extends itself; 0 if it does not.
    pub extension_days: u32,
    /// The invitation that started the relationship's period that the grant belongs to.
    pub period: InvitationId,
    /// When one of the sides ended it.
    pub ended_at: Option<Timestamp>,
    pub chain: Chain,
}

impl Grant {
    /// When the grant ends, with all extensions that are due at `now`. Does not consider that a side ended it.
    pub fn ends_at(&self, now: Timestamp) -> Timestamp {
        if let Some(end) = self.fixed_end {
            return end;
        }
        let first = self.starts_at.plus_days(self.admin.days);
        let step = u64::from(self.extension_days);
        if step == 0 || now < first {
            return first;
        }
        let elapsed_days = now.since(first).as_secs() / 86_400;
        let extensions = elapsed_days / step + 1;
        first + Duration::from_hours(24 * step * extensions)
    }

    /// The next notice after a time, and when it is due. `None` if there are no more.
    pub fn next_notice(&self, after: Timestamp) -> Option<(Timestamp, GrantNotice)> {
        if self.extension_days > 0 {
            return Some((self.ends_at(after), GrantNotice::Extended));
        }
        let end = self.ends_at(self.starts_at);
        let notices = NOTICE_DAYS.iter().map(|days| (end.minus_days(*days), GrantNotice::Expiring(*days)));
        notices.chain([(end, GrantNotice::Expired)]).find(|(at, _)| *at > after)
    }

    /// The notice that is due at exactly this time.
    pub fn notice_at(&self, at: Timestamp) -> Option<GrantNotice> {
        let before = at - Duration::from_millis(1);
        self.next_notice(before).filter(|(due, _)| *due == at).map(|(_, notice)| notice)
    }

    /// What to announce at `now` if the notice of `due` is not announced yet, and the time that it is about. After the end it is
    /// too late to say that the grant will end, so only its end is announced.
    pub fn announcement(&self, due: Timestamp, now: Timestamp) -> Option<(Timestamp, GrantNotice)> {
        let end = self.ends_at(self.starts_at);
        match self.notice_at(due)? {
            GrantNotice::Expiring(_) if end <= now => Some((end, GrantNotice::Expired)),
            notice => Some((due, notice)),
        }
    }

    /// `period_end` is the end of the relationship's period that the grant belongs to; `None` while the period is active.
    /// A grant that expired before its period ended stays expired.
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

    /// The end that readers see. It does not change any more once the grant or its period is over.
    pub fn effective_end(&self, now: Timestamp, period_end: Option<Timestamp>) -> Timestamp {
        match self.ended_at.or(period_end) {
            Some(over) => self.ends_at(over).min(over),
            None => self.ends_at(now),
        }
    }

    /// The grant as narrowed at `now`; `None` if it is as narrow already. The grant must be active.
    ///
    /// # Errors
    /// [`NotNarrower`] if anything would become more, or would end in the past.
    pub fn narrowed(&self, by: &Narrowing, now: Timestamp) -> Result<Option<Self>, NotNarrower> {
        let end = self.ends_at(now);
        let roles = by.roles.as_ref().unwrap_or(&self.admin.roles);
        let ends_at = by.ends_at.unwrap_or(end);
        let is_less = roles.iter().all(|role| self.admin.roles.contains(role)) && now < ends_at && ends_at <= end;
        if !is_less || by.auto_extend == Some(true) {
            return Err(NotNarrower);
        }
        let stops_extension = self.admin.auto_extend && (by.ends_at.is_some() || by.auto_extend.is_some());
        let mut roles = roles.clone();
        roles.sort_unstable();
        if roles == self.admin.roles && ends_at == end && !stops_extension {
            return Ok(None);
        }
        let mut narrowed = Self { admin: DelegatedAdmin { roles, ..self.admin.clone() }, ..self.clone() };
        if ends_at < end || stops_extension {
            narrowed.fixed_end = Some(ends_at);
            narrowed.extension_days = 0;
            narrowed.admin.auto_extend = false;
        }
        Ok(Some(narrowed))
    }

    /// The next event of this grant.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn only_whole_days_are_a_duration() {
        assert_eq!(parse_days("P365D"), Some(365));
        for wrong in
            ["", "P", "PD", "P0D", "P01D", "-P1D", "P1Y", "PT0.1S", "P9999999999Y", "P99999D", "p1d", "P1D ", "P٣D"]
        {
            assert_eq!(parse_days(wrong), None, "{wrong}");
        }
    }

    fn admin(roles: &[&str], days: u32, auto_extend: bool) -> DelegatedAdmin {
        DelegatedAdmin { roles: roles.iter().map(|role| (*role).to_owned()).collect(), days, auto_extend }
    }

    #[test]
    fn a_decision_may_narrow_but_not_exceed_what_was_asked() {
        let asked = admin(&["global_reader", "user_administrator"], 10, false);
        let part = |granted: &DelegatedAdmin, days| GrantedPart {
            roles: granted.roles.clone(),
            days,
            auto_extend: granted.auto_extend,
        };
        let check =
            |granted: &DelegatedAdmin, days| GrantDecision::Narrowed(part(granted, days)).check(Some(&asked), true);
        let narrowed = admin(&["global_reader"], 5, false);
        assert_eq!(check(&narrowed, Some(5)), Ok(Some(narrowed.clone())));
        // Without a duration, the one that was asked for.
        assert_eq!(check(&narrowed, None), Ok(Some(admin(&["global_reader"], 10, false))));
        for more in [
            admin(&["global_administrator"], 5, false),
            admin(&["global_reader"], 11, false),
            admin(&["global_reader"], 5, true),
        ] {
            assert_eq!(check(&more, Some(more.days)), Err(GrantDecisionError::ExceedsRequest), "{more:?}");
        }
    }

    #[test]
    fn a_decision_is_required_exactly_when_delegated_administration_was_asked_for() {
        use GrantDecision::{Absent, AsRequested, Refused};
        let asked = admin(&["global_reader"], 10, false);
        assert_eq!(Absent.check(None, false), Ok(None));
        assert_eq!(Absent.check(Some(&asked), false), Err(GrantDecisionError::Missing));
        assert_eq!(Refused.check(None, false), Err(GrantDecisionError::Unexpected));
        assert_eq!(AsRequested.check(Some(&asked), true), Ok(Some(asked.clone())));
        assert_eq!(Refused.check(Some(&asked), false), Ok(None));
        assert_eq!(Refused.check(Some(&asked), true), Err(GrantDecisionError::Required));
    }

    fn grant(extension_days: u32) -> Grant {
        let id = InvitationId::from_hash(&digest("t", &[]));
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        Grant {
            grant_id: GrantId::from_invitation(&id),
            partner_id: PartnerId::from_tenant(&tenant),
            customer: tenant,
            admin: admin(&["global_reader"], 10, extension_days > 0),
            starts_at: Timestamp::from_millis(0),
            fixed_end: None,
            extension_days,
            period: id,
            ended_at: None,
            chain: Chain::default(),
        }
    }

    #[test]
    fn a_grant_expires_at_its_last_millisecond_unless_it_extends_itself() {
        let plain = grant(0);
        let end = Timestamp::from_millis(0).plus_days(10);
        let state = |grant: &Grant, at| grant.state(at, None, PartnerStatus::Active);
        assert_eq!(state(&plain, end - MILLISECOND), GrantState::Active);
        assert_eq!(state(&plain, end), GrantState::Expired);
        let extended = grant(180);
        assert_eq!(extended.ends_at(end - MILLISECOND), end);
        assert_eq!(extended.ends_at(end), end.plus_days(180));
        assert_eq!(extended.ends_at(end.plus_days(180) - MILLISECOND), end.plus_days(180));
        assert_eq!(extended.ends_at(end.plus_days(180)), end.plus_days(360));
        assert_eq!(state(&extended, end.plus_days(10_000)), GrantState::Active);
    }

    #[test]
    fn a_grant_that_expired_before_its_relationship_ended_stays_expired() {
        let plain = grant(0);
        let end = plain.starts_at.plus_days(10);
        let state = |period_end| plain.state(end.plus_days(100), Some(period_end), PartnerStatus::Active);
        assert_eq!(state(end - MILLISECOND), GrantState::Ended);
        assert_eq!(state(end), GrantState::Expired);
        let shown_end = |period_end| plain.effective_end(end.plus_days(100), Some(period_end));
        assert_eq!(shown_end(end - MILLISECOND), end - MILLISECOND);
        assert_eq!(shown_end(end.plus_days(1)), end);
        assert_eq!(grant(180).state(end, Some(end), PartnerStatus::Active), GrantState::Ended);
    }

    fn narrowing(roles: Option<&[&str]>, ends_at: Option<Timestamp>, auto_extend: Option<bool>) -> Narrowing {
        let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
        Narrowing { roles, ends_at, auto_extend }
    }

    #[test]
    fn a_narrowing_may_only_reduce() {
        let two = Grant { admin: admin(&["directory_readers", "global_reader"], 10, false), ..grant(0) };
        let (now, end) = (two.starts_at.plus_days(1), two.starts_at.plus_days(10));
        for wider in [
            narrowing(Some(&["global_reader", "user_administrator"]), None, None),
            narrowing(Some(&["user_administrator"]), None, None),
            narrowing(None, Some(end + MILLISECOND), None),
            narrowing(None, Some(now), None),
            narrowing(None, Some(now - MILLISECOND), None),
            narrowing(None, None, Some(true)),
            narrowing(Some(&["global_reader"]), None, Some(true)),
            narrowing(Some(&["global_reader"]), Some(end.plus_days(1)), Some(false)),
        ] {
            assert_eq!(two.narrowed(&wider, now), Err(NotNarrower), "{wider:?}");
        }
        for same in [
            Narrowing::default(),
            narrowing(Some(&["global_reader", "directory_readers"]), Some(end), Some(false)),
            narrowing(None, None, Some(false)),
        ] {
            assert_eq!(two.narrowed(&same, now), Ok(None), "{same:?}");
        }
        let less = narrowing(Some(&["global_reader"]), Some(now + MILLISECOND), None);
        let narrowed = two.narrowed(&less, now).unwrap().unwrap();
        assert_eq!(narrowed.admin.roles, ["global_reader"]);
        assert_eq!(narrowed.ends_at(now), now + MILLISECOND);
        assert_eq!(narrowed.narrowed(&less, now), Ok(None), "a repeat changes nothing");
    }

    #[test]
    fn an_end_turns_the_extension_off_and_turning_it_off_keeps_the_end_that_is_shown() {
        let extends = grant(180);
        let now = extends.starts_at.plus_days(200);
        let shown = extends.starts_at.plus_days(370);
        assert_eq!(extends.ends_at(now), shown);
        for by in [narrowing(None, None, Some(false)), narrowing(None, Some(shown), None)] {
            let narrowed = extends.narrowed(&by, now).unwrap().unwrap();
            assert_eq!((narrowed.ends_at(now), narrowed.admin.auto_extend), (shown, false));
            assert_eq!(narrowed.ends_at(shown.plus_days(1_000)), shown);
            assert_eq!(narrowed.next_notice(now), Some((shown.minus_days(30), GrantNotice::Expiring(30))));
            assert_eq!(narrowed.narrowed(&by, now), Ok(None));
        }
        let earlier = extends.narrowed(&narrowing(None, Some(now.plus_days(5)), None), now).unwrap().unwrap();
        assert_eq!(earlier.next_notice(now), Some((now.plus_days(4), GrantNotice::Expiring(1))));
        let fewer = Grant { admin: admin(&["a", "b"], 10, true), ..grant(180) };
        let fewer = fewer.narrowed(&narrowing(Some(&["a"]), None, None), now).unwrap().unwrap();
        assert_eq!((fewer.ends_at(now), fewer.admin.auto_extend), (shown, true), "roles alone leave the extension");
    }

    #[test]
    fn notices_are_due_30_7_and_1_days_before_the_end_unless_the_grant_extends_itself() {
        let plain = Grant { admin: DelegatedAdmin { days: 40, ..grant(0).admin }, ..grant(0) };
        let mut at = plain.starts_at;
        let mut notices = Vec::new();
        while let Some((due, notice)) = plain.next_notice(at) {
            assert_eq!(plain.notice_at(due), Some(notice));
            notices.push((due.since(plain.starts_at).as_secs() / 86_400, notice));
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
