use super::*;

#[tokio::test]
async fn a_port_in_use_is_named_with_a_remedy() {
    let taken = Bound::to(ANY_PORT).await.unwrap();
    let error = Bound::to(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), taken.port())).await.err().unwrap();
    assert_eq!(error.to_string(), format!("port {} is in use; choose another with --port", taken.port()));
}

#[tokio::test]
async fn an_address_of_another_machine_is_named_with_a_remedy() {
    let elsewhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0);
    let error = Bound::to(elsewhere).await.err().unwrap();
    assert_eq!(error.to_string(), "192.0.2.1 is not an address of this machine; choose another with --host");
}

#[test]
fn a_server_on_every_address_is_called_over_loopback() {
    for (bound, called) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")] {
        assert_eq!(reachable(bound.parse().unwrap()), called.parse().unwrap());
    }
}
