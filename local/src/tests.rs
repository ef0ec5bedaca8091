use std::sync::Mutex;

use domain::Timestamp;
use platform::aws;
use platform::random::SeededRandom;

use super::*;
use crate::testing::Folder;

#[tokio::test]
async fn it_starts_answers_and_stops() {
    let local = start(Options::default()).await.unwrap();
    let url = local.base_url().to_owned();
    let answer = reqwest::get(format!("{url}/nowhere")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (404, &"application/json".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), r#"{"message":"Not Found"}"#);
    // This client keeps its connection, which must not hold up the stop.
    let client = reqwest::Client::new();
    assert_eq!(client.get(format!("{url}/v1/policy")).send().await.unwrap().status(), 200);
    local.client().describe_table().table_name(local.table()).send().await.unwrap();
    let stop = tokio::time::timeout(std::time::Duration::from_secs(1), local.stop());
    stop.await.unwrap();
    assert!(reqwest::get(format!("{url}/nowhere")).await.is_err());
}

#[tokio::test]
async fn many_run_side_by_side() {
    let (one, two) = (start(Options::default()).await.unwrap(), start(Options::default()).await.unwrap());
    assert_ne!(one.base_url(), two.base_url());
    assert_ne!(one.operator_key().expose_secret(), two.operator_key().expose_secret());
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let local = start(Options::default()).await.unwrap();
    let page = format!("{}/i/inv_any", local.base_url());
    let (get, head) = (reqwest::get(&page).await.unwrap(), reqwest::Client::new().head(&page).send().await.unwrap());
    assert_eq!((get.status(), head.status()), (200.try_into().unwrap(), 200.try_into().unwrap()));
    assert_eq!(get.headers()["content-length"], head.headers()["content-length"]);
    assert!(!get.bytes().await.unwrap().is_empty() && head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_seed_repeats_the_operator_key() {
    let seeded = || Options { random: Arc::new(SeededRandom::new(7)), ..Options::default() };
    let (one, two) = (start(seeded()).await.unwrap(), start(seeded()).await.unwrap());
    assert_eq!(one.operator_key().expose_secret(), two.operator_key().expose_secret());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind(ANY_PORT).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = start(Options { port, ..Options::default() }).await.err().unwrap();
    assert_eq!(error.to_string(), format!("port {port} is in use; choose another with --port"));
}

#[tokio::test]
async fn data_outlive_the_process() {
    let folder = Folder::new();
    let options = || Options { data_dir: Some(folder.0.clone()), ..Options::default() };
    let local = start(options()).await.unwrap();
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let put = local.client().put_item().table_name(TABLE).item("pk", text("a")).item("sk", text("b"));
    put.send().await.unwrap();
    assert!(matches!(start(options()).await, Err(StartError::DataDirInUse(_))));
    let operator_key = local.operator_key().clone();
    local.stop().await;

    let local = start(options()).await.unwrap();
    assert_eq!(local.operator_key().expose_secret(), operator_key.expose_secret());
    let item = local.client().get_item().table_name(TABLE).key("pk", text("a")).key("sk", text("b")).send().await;
    assert!(item.unwrap().item.is_some());
    local.stop().await;
}

#[tokio::test]
async fn the_clock_is_the_callers() {
    struct Fixed(Mutex<i64>);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(*self.0.lock().unwrap())
        }
    }
    let clock = Arc::new(Fixed(Mutex::new(1_795_369_200_123)));
    let local = start(Options { clock: clock.clone(), ..Options::default() }).await.unwrap();
    *clock.0.lock().unwrap() += 1;
    assert_eq!(local.app().clock.now().millis(), 1_795_369_200_124);
}

#[tokio::test]
async fn functions_without_a_claim_to_the_master_key_have_none() {
    let (template, config) = (Template::built_in().unwrap(), table_config(None));
    let config = Config { master_keys: MasterKeys::new(BTreeMap::from([(1, MasterKey::new([1; 32]))])), ..config };
    let app = |config: &Config| {
        let client = client::connect(&config.dynamodb, aws::http_client());
        let policy = Policy::built_in().unwrap();
        Arc::new(App::new(config, client, policy, Arc::new(SystemClock), Arc::new(SystemRandom)))
    };
    let router = route(&template, &config, app).unwrap();
    for route in &template.routes {
        let path = route.path.replace(['{', '}'], "");
        let target = router.find(&route.method, &path).unwrap().target;
        assert_eq!(target.function.name, route.function);
        assert_eq!(target.app.keys.current().is_ok(), target.function.needs.master_key, "{}", route.function);
    }
}
