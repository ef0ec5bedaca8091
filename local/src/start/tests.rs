use std::sync::Mutex;

use domain::{Cloud, Timestamp};
use platform::clock::Clock;
use platform::identity::{CloudSettings, Settings};

use super::*;
use crate::data_dir::DataDirError;
use crate::testing::{FixedRandom, Folder};

#[tokio::test]
async fn it_starts_responds_and_stops() {
    let local = start(Options::default()).await.unwrap();
    let url = local.base_url().to_owned();
    let answer = reqwest::get(format!("{url}/nowhere")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (404, &"application/json".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), r#"{"message":"Not Found"}"#);
    // This client keeps its connection open, which must not delay the stop.
    let client = reqwest::Client::new();
    assert_eq!(client.get(format!("{url}/v1/policy")).send().await.unwrap().status(), 200);
    local.client().describe_table().table_name(local.table()).send().await.unwrap();
    // Less than the time that a stop waits for running requests.
    let stop = tokio::time::timeout(std::time::Duration::from_secs(9), local.stop());
    stop.await.unwrap();
    assert!(reqwest::get(format!("{url}/nowhere")).await.is_err());
}

#[tokio::test]
async fn several_can_run_at_once() {
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
async fn seeded_randomness_repeats_the_operator_key() {
    let seeded = || Options { random: Arc::new(FixedRandom(7)), ..Options::default() };
    let (one, two) = (start(seeded()).await.unwrap(), start(seeded()).await.unwrap());
    assert_eq!(one.operator_key().expose_secret(), two.operator_key().expose_secret());
}

#[tokio::test]
async fn a_data_folder_keeps_data_and_operator_key() {
    let folder = Folder::new();
    let options = || Options { data_dir: Some(folder.0.clone()), ..Options::default() };
    let local = start(options()).await.unwrap();
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let put = local.client().put_item().table_name(TABLE).item("pk", text("a")).item("sk", text("b"));
    put.send().await.unwrap();
    assert!(matches!(start(options()).await, Err(StartError::DataDir(DataDirError::InUse(_)))));
    let operator_key = local.operator_key().clone();
    local.stop().await;

    let local = start(options()).await.unwrap();
    assert_eq!(local.operator_key().expose_secret(), operator_key.expose_secret());
    let item = local.client().get_item().table_name(TABLE).key("pk", text("a")).key("sk", text("b")).send().await;
    assert!(item.unwrap().item.is_some());
    local.stop().await;
}

#[tokio::test]
async fn the_clock_comes_from_the_options() {
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
async fn sign_in_needs_https_except_on_this_machine() {
    let started = async |clouds: &[Cloud], address: Option<&str>| {
        let clouds = clouds.iter().map(|cloud| (*cloud, CloudSettings::new("client", None))).collect();
        let sign_in = Settings { clouds, ..Settings::default() };
        start(Options { sign_in, public_base_url: address.map(str::to_owned), ..Options::default() }).await
    };
    let insecure = "http://partners.example.com";
    let error = started(&[Cloud::Public], Some(insecure)).await.err().unwrap();
    assert!(matches!(&error, StartError::SignInAddress(address) if address == insecure), "{error}");
    started(&[], Some(insecure)).await.unwrap().stop().await;
    for address in [None, Some("http://localhost:3000"), Some("https://partners.example.com")] {
        started(&[Cloud::Public], address).await.unwrap().stop().await;
    }
}

#[tokio::test]
async fn data_of_another_master_key_is_refused() {
    let folder = Folder::new();
    let options = || Options { data_dir: Some(folder.0.clone()), ..Options::default() };
    start(options()).await.unwrap().stop().await;
    let file = folder.0.join("master.key");
    std::fs::write(&file, "ab".repeat(32)).unwrap();
    let error = start(options()).await.err().unwrap();
    assert!(matches!(error, StartError::DataDir(DataDirError::MasterKeyWrong(_))), "{error}");
}

#[tokio::test]
async fn a_damaged_database_is_named_with_a_remedy() {
    let folder = Folder::new();
    let options = || Options { data_dir: Some(folder.0.clone()), ..Options::default() };
    start(options()).await.unwrap().stop().await;
    let file = DataDir::database_in(&folder.0);
    std::fs::write(&file, "not a database").unwrap();
    let error = start(options()).await.err().unwrap().to_string();
    assert!(error.contains(&file.display().to_string()) && error.contains("from a backup"), "{error}");
}

#[tokio::test]
async fn the_start_page_is_served_at_the_root_only() {
    let local = start(Options::default()).await.unwrap();
    let url = local.base_url();
    let page = reqwest::get(url).await.unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(page.text().await.unwrap().contains("/openapi.json"));
    let post = reqwest::Client::new().post(url).send().await.unwrap();
    assert_eq!((post.status().as_u16(), post.text().await.unwrap()), (404, r#"{"message":"Not Found"}"#.to_owned()));
}
