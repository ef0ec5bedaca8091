//! Every route sends every code that it lists.

mod provoke;
pub(crate) mod request;
pub(crate) mod scene;

use std::collections::BTreeSet;

use platform::http_api::Code;
use tests::catalog;

use self::scene::Scene;

#[tokio::test(start_paused = true)]
async fn every_route_sends_every_code_that_it_lists() {
    let scene = Scene::new().await;
    let (mut wrong, mut pairs, mut sent) = (Vec::new(), 0, BTreeSet::new());
    let operations = catalog().operations;
    for operation in &operations {
        let base = scene.base(operation.key).await;
        for &code in &operation.codes {
            let answer = scene.provoke(code, &base).await;
            if answer.code() == code.name() {
                sent.insert(code);
            } else {
                let got = String::from_utf8_lossy(&answer.body);
                wrong.push(format!("{} · {}: {} {got}", operation.key, code.name(), answer.status));
            }
            pairs += 1;
        }
        let codes: Vec<_> = operation.codes.iter().map(|code| code.name()).collect();
        println!("{}: {}", operation.key, codes.join(" "));
        let answer = scene.send(&scene.again(&base).await).await;
        if !(200..300).contains(&answer.status) && answer.code() != "subscription_immutable" {
            wrong.push(format!("{} itself: {}", operation.key, String::from_utf8_lossy(&answer.body)));
        }
    }
    println!("{} routes, {pairs} pairs of a route and a code", operations.len());
    assert!(wrong.is_empty(), "{} of {pairs} were not sent:\n{}", wrong.len(), wrong.join("\n"));
    let never: Vec<_> = Code::ALL.iter().filter(|code| !sent.contains(code)).map(|code| code.name()).collect();
    assert!(never.is_empty(), "no route lists {never:?}");
}
