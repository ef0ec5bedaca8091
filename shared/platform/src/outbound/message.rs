/// A message with the three headers of Standard Webhooks.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// `webhook-id`: the same in every attempt.
    pub id: &'a str,
    /// `webhook-timestamp`: the time of this attempt, in Unix seconds.
    pub timestamp: i64,
    /// `webhook-signature`: one entry for each live secret, separated by spaces.
    pub signature: String,
    /// The bytes that were signed.
    pub body: &'a [u8],
}
