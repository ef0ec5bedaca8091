use domain::Principal;

/// Who sees a response. Some members are only for some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The holder of an invitation's link, who may be anyone.
    Link,
    Customer,
    Partner,
    Operator,
}

impl Viewer {
    /// Whether it sees what the partner notes for itself: the contact and its own reference.
    pub fn sees_partners_notes(self) -> bool {
        matches!(self, Self::Partner | Self::Operator)
    }
}

impl From<&Principal> for Viewer {
    fn from(principal: &Principal) -> Self {
        match principal {
            Principal::Operator => Self::Operator,
            Principal::Partner(_) => Self::Partner,
            Principal::Customer(_) => Self::Customer,
        }
    }
}
