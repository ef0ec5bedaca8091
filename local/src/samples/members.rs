//! What the samples consist of.

/// A sample tenant with an access key.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: &'static str,
    /// A partner's `ptr_…`, a customer's tenant id.
    pub id: String,
    pub key: String,
}

/// A pending invitation.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    pub id: String,
    pub link: String,
    /// The secret in the link.
    pub token: String,
}

#[derive(Clone, Debug)]
pub struct Samples {
    /// The customer.
    pub contoso: Member,
    /// Contoso's partner, with one subscription.
    pub fabrikam: Member,
    /// The partner that has invited Contoso.
    pub northwind: Member,
    /// Northwind's invitation, unless it was answered in an earlier run.
    pub invitation: Option<OpenInvitation>,
}
