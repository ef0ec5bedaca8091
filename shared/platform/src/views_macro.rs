//! `views!` derives what a type in a response needs. The macro is defined twice, so that function crates need no feature of
//! their own.

/// Derives `Serialize` for structs and enums of responses, and `JsonSchema` with feature `describe`. Doc comments become
/// descriptions in the OpenAPI document.
#[cfg(not(feature = "describe"))]
#[macro_export]
macro_rules! views {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, $crate::serde::Serialize)]
        #[serde(crate = "platform::serde")]
        $item
    )*};
}

/// Derives `Serialize` for structs and enums of responses, and `JsonSchema` with feature `describe`. Doc comments become
/// descriptions in the OpenAPI document.
#[cfg(feature = "describe")]
#[macro_export]
macro_rules! views {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, $crate::serde::Serialize, $crate::schemars::JsonSchema)]
        #[serde(crate = "platform::serde")]
        #[schemars(crate = "platform::schemars")]
        $item
    )*};
}
