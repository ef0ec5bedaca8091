//! `views!` derives what a type in a response needs. The macro is defined twice, so that function crates need no feature of
//! their own.

/// Derives `Serialize`, and `Deserialize` for clients, for structs and enums of responses, and `JsonSchema` with feature `describe`. Doc comments become
/// descriptions in the OpenAPI document. Responses can hold secrets, so there is no `Debug`.
#[cfg(not(feature = "describe"))]
#[macro_export]
macro_rules! views {
    ($($item:item)*) => {$(
        #[derive($crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "platform::serde")]
        $item
    )*};
}

/// Derives `Serialize`, and `Deserialize` for clients, for structs and enums of responses, and `JsonSchema` with feature `describe`. Doc comments become
/// descriptions in the OpenAPI document. Responses can hold secrets, so there is no `Debug`.
#[cfg(feature = "describe")]
#[macro_export]
macro_rules! views {
    ($($item:item)*) => {$(
        #[derive($crate::serde::Serialize, $crate::serde::Deserialize, $crate::schemars::JsonSchema)]
        #[serde(crate = "platform::serde")]
        #[schemars(crate = "platform::schemars")]
        $item
    )*};
}
