//! What every route says about itself.

use domain::{Policy, Timestamp};
use local::functions::FUNCTIONS;
use platform::describe::Catalog;

/// The time whose policy limits are documented: that of the sample events.
const TIME: &str = "2026-11-22T12:00:00.000Z";

/// The catalog of all functions.
///
/// # Panics
/// If the built-in policy is malformed.
pub fn catalog() -> Catalog {
    let policy = Policy::built_in().expect("the built-in policy");
    let mut catalog = Catalog::new(policy, Timestamp::parse(TIME).expect("a time"));
    for route in FUNCTIONS.iter().flat_map(|function| function.routes) {
        (route.describe)(&mut catalog);
    }
    catalog
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_no_schema_has_two_meanings() {
        let catalog = catalog();
        let routes = FUNCTIONS.iter().flat_map(|function| function.routes);
        let keys: Vec<_> = catalog.operations.iter().map(|operation| operation.key).collect();
        assert_eq!(keys, routes.map(|route| route.key).collect::<Vec<_>>());
        assert!(catalog.operations.iter().all(|operation| !operation.summary.is_empty()));
        catalog.schemas().expect("schemas");
    }
}
