use crate::store::Page;

crate::views! {
    /// One page of a list.
    #[cfg_attr(feature = "describe", schemars(rename = "{T}Page"))]
    pub struct PageView<T> {
        pub items: Vec<T>,
        /// The cursor of the next page, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub next_cursor: Option<String>,
    }
}

impl<T> PageView<T> {
    pub fn new<I>(page: Page<I>, view: impl Fn(&I) -> T) -> Self {
        Self { items: page.items.iter().map(view).collect(), next_cursor: page.next_cursor }
    }
}
