//! The attributes that are part of a key, and the names of the indexes.

pub const PK: &str = "pk";
pub const SK: &str = "sk";

/// The partner's view and the operator's lists.
pub const GSI1: &str = "gsi1";
pub const GSI1_PK: &str = "gsi1pk";

/// The customer's view.
pub const GSI2: &str = "gsi2";
pub const GSI2_PK: &str = "gsi2pk";

/// The sort key of [`GSI1`], [`GSI2`] and [`GSI4`]: kind and time of the item.
pub const LISTED: &str = "listed";

/// The partner's grants by their end. Its partitions are those of [`GSI1`].
pub const GSI5: &str = "gsi5";

/// The customer's grants by their end. Its partitions are those of [`GSI2`].
pub const GSI6: &str = "gsi6";

/// The sort key of [`GSI5`] and [`GSI6`]: the end of a grant that was written last.
pub const ENDING: &str = "ending";

/// Due work.
pub const GSI3: &str = "gsi3";
pub const GSI3_PK: &str = "gsi3pk";
/// The time when the work is due.
pub const GSI3_SK: &str = "gsi3sk";

/// The operator's list of all events.
pub const GSI4: &str = "gsi4";
pub const GSI4_PK: &str = "gsi4pk";
