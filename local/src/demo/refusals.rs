//! What is refused, and to whom.

use local::api::{Answer, Call};
use reqwest::Method;
use serde_json::{Value, json};

use super::cast::{Offer, WINGTIP_OFFICE, WINGTIP_SALES};
use super::joining::{FABRIKAM_AZURE, items, join, sell};
use super::stage::{Stage, Stop};

pub async fn hands_off(stage: &mut Stage) -> Result<(), Stop> {
    let contoso = stage.cast.contoso.clone();
    let (fabrikam, northwind) = (stage.cast.fabrikam.clone(), stage.cast.northwind.clone());
    let id = FABRIKAM_AZURE.id;
    let words = "it can't register Fabrikam's subscription as its own";
    let taken =
        stage.refused(words, northwind.registers(&FABRIKAM_AZURE, &contoso), 409, "subscription_exists").await?;
    let told = String::from_utf8_lossy(&taken.body).to_lowercase();
    let silent = !told.contains("fabrikam") && !told.contains(&fabrikam.id);
    stage.check("and is not told whose it is", silent)?;
    let gift = Offer { id: "GIFT", service: "azure", quantity: 1 };
    let for_other = northwind.registers_for(&fabrikam, &gift, &contoso);
    let words = "it can't register one of which Fabrikam would be partner of record";
    stage.refused(words, for_other, 422, "partner_of_record_mismatch").await?;

    let mut immutable = true;
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = stage.send(&northwind.call(method, &format!("/subscriptions/{id}"))).await?;
        immutable &= answer.status == 405 && answer.code() == "subscription_immutable";
    }
    let words = "nobody can PUT, PATCH or DELETE a subscription, not even its own (405 subscription_immutable)";
    stage.check(words, immutable)?;
    let theirs = |id: &str| Call::get(format!("/v1/partners/{}/subscriptions/{id}", fabrikam.id)).key(&northwind.key);
    let foreign = stage.refused("it can't read Fabrikam's", theirs(id), 404, "not_found").await?;
    let unknown = stage.send(&theirs("NO-SUCH-THING")).await?;
    let same = without_instance(&foreign) == without_instance(&unknown);
    stage.check("and can't tell Fabrikam's from what does not exist", same)?;
    let listed = stage.read(northwind.get("/subscriptions")).await?;
    let own = items(&listed.json).iter().all(|row| row["partner_of_record"] == northwind.id);
    stage.check("its own list holds only its own", own)?;
    let path = format!("/v1/partners/{}/customers/{}", fabrikam.id, contoso.tenant_id);
    let ending = Call::new(Method::DELETE, path).key(&northwind.key);
    stage.refused("it can't end Fabrikam's relationship", ending, 404, "not_found").await?;
    Ok(())
}

/// The problem without the one member that names the request.
fn without_instance(answer: &Answer) -> Value {
    let mut problem = answer.json.clone();
    problem["instance"] = Value::Null;
    problem
}

pub async fn csp_tenant(stage: &mut Stage) -> Result<(), Stop> {
    let (northwind, office) = (stage.cast.northwind.clone(), stage.cast.wingtip_office.clone());
    let to_sales = northwind.invites(WINGTIP_SALES.tenant_id, Value::Null, "wingtip-sales");
    let words = "the tenant that Wingtip sells from is refused";
    stage.refused(words, to_sales, 403, "customer_is_csp_tenant").await?;
    let own = stage.cast.wingtip_sales.invites(WINGTIP_SALES.tenant_id, Value::Null, "self");
    stage.refused("and Wingtip can't be its own customer", own, 422, "self_relationship").await?;
    join(stage, &northwind, &office).await?;
    let offer = Offer { id: "NORTHWIND-WINGTIP", service: "office_365", quantity: 10 };
    sell(stage, &northwind, &offer, &office).await?;

    let enrol = Call::post("/v1/partners", &WINGTIP_OFFICE.body()).key(stage.local().operator_key().expose_secret());
    stage.act("Later Wingtip begins to sell from its office, too", enrol, 201).await?;
    let more = Offer { id: "NORTHWIND-WINGTIP-2", service: "azure", quantity: 1 };
    let words = "it keeps what it has, and can buy nothing new";
    stage.refused(words, northwind.registers(&more, &office), 403, "customer_is_csp_tenant").await?;
    Ok(())
}

pub async fn us_government(stage: &mut Stage) -> Result<(), Stop> {
    let woodgrove = stage.cast.woodgrove.clone();
    let (litware, proseware) = (stage.cast.litware.clone(), stage.cast.proseware.clone());
    let without = litware.invites(woodgrove.tenant_id, Value::Null, "without");
    let words = "here an invitation has to ask for delegated administration";
    stage.refused(words, without, 422, "delegated_admin_required").await?;
    let asked = json!({"roles": ["service_support_administrator"], "duration": "P365D"});
    for (partner, offer) in [
        (&litware, Offer { id: "LITWARE-OFFICE", service: "office_365", quantity: 100 }),
        (&proseware, Offer { id: "PROSEWARE-AZURE", service: "azure", quantity: 1 }),
    ] {
        let words = format!("{} invites Woodgrove County and asks for a role", partner.name);
        let invited = stage.act(&words, partner.invites(woodgrove.tenant_id, asked.clone(), "gov"), 201).await?;
        let link = stage.link(&invited)?;
        let refusing = link.accepts(Some(json!("refused")));
        let words = "Woodgrove County can narrow the role, but not accept without it";
        stage.refused(words, refusing, 422, "delegated_admin_required").await?;
        stage.act("Woodgrove County accepts", link.accepts(Some(json!("as_requested"))), 200).await?;
        sell(stage, partner, &offer, &woodgrove).await?;
    }
    let page = stage.read(woodgrove.get("/partners")).await?;
    stage.check("Woodgrove County works with two partners", items(&page.json).len() == 2)?;
    let across = stage.cast.northwind.invites(woodgrove.tenant_id, asked, "across");
    stage.refused("a partner of the public cloud can't invite it", across, 422, "cloud_mismatch").await?;
    Ok(())
}
