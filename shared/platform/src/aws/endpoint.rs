//! The address of DynamoDB, if it needs no list of partitions. The SDK parses that list (23 KB of JSON) for its first request, which
//! is a fifth of the instructions of a start.

use aws_sdk_dynamodb::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};

use super::Service;

/// How Regions of the partition `aws` begin. Their names have three parts. `us-gov-west-1` and `eu-isoe-west-1` have four.
const AREAS: [&str; 9] = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"];

/// One address for all requests.
#[derive(Debug)]
pub(crate) struct Fixed(Endpoint);

impl Fixed {
    /// `None` if the SDK has to find it: in other partitions, and with FIPS.
    pub(crate) fn dynamodb(service: &Service) -> Option<Self> {
        if service.fips {
            return None;
        }
        let url = match &service.endpoint {
            Some(endpoint) => endpoint.clone(),
            None if is_in_aws(&service.region) => format!("https://dynamodb.{}.amazonaws.com", service.region),
            None => return None,
        };
        Some(Self(Endpoint::builder().url(url).build()))
    }
}

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

fn is_in_aws(region: &str) -> bool {
    let mut parts = region.split('-');
    let (area, place, number) = (parts.next(), parts.next(), parts.next());
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    area.is_some_and(|area| AREAS.contains(&area))
        && place.is_some_and(is_word)
        && number.is_some_and(is_number)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::DefaultResolver;
    use futures_util::FutureExt;

    use super::*;
    use crate::aws::Credentials;

    fn service(region: &str, endpoint: Option<&str>, fips: bool) -> Service {
        let credentials = Credentials { id: "id".to_owned(), secret: "secret".into(), token: None };
        Service { region: region.to_owned(), endpoint: endpoint.map(str::to_owned), fips, credentials }
    }

    /// What the SDK finds.
    fn of_sdk(service: &Service) -> Option<Endpoint> {
        let params = Params::builder().region(&*service.region).use_fips(service.fips).use_dual_stack(false);
        let params = params.set_endpoint(service.endpoint.clone()).build().unwrap();
        DefaultResolver::new().resolve_endpoint(&params).now_or_never().unwrap().ok()
    }

    #[test]
    fn it_is_the_address_that_the_sdk_finds() {
        let known = [
            "af-south-1",
            "ap-east-1",
            "ap-northeast-1",
            "ap-south-2",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-2",
            "us-future-9",
        ];
        for region in known {
            let service = service(region, None, false);
            let fixed = Fixed::dynamodb(&service).map(|fixed| fixed.0);
            assert!(fixed.is_some(), "{region}");
            assert_eq!(fixed, of_sdk(&service), "{region}");
        }
        let configured = service("eu-west-1", Some("https://dynamodb.example.com:8000"), false);
        assert_eq!(Fixed::dynamodb(&configured).map(|fixed| fixed.0), of_sdk(&configured));
    }

    #[test]
    fn the_sdk_finds_the_others() {
        let others = [
            "us-gov-west-1",
            "us-gov-east-1",
            "cn-north-1",
            "cn-northwest-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "eusc-de-east-1",
            "local",
            "",
            "us-east",
            "us-east-1-x",
            "US-east-1",
        ];
        for region in others {
            assert!(Fixed::dynamodb(&service(region, None, false)).is_none(), "{region}");
        }
        assert!(Fixed::dynamodb(&service("us-east-1", None, true)).is_none());
    }
}
