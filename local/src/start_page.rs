//! The page at `/` of the local run.

use domain::{PartnerId, TenantId};

use crate::samples::tenants::{CONTOSO, FABRIKAM, NORTHWIND};

/// The page. It holds no secrets: keys and links are printed in the terminal only.
pub fn start_page() -> String {
    let partner = TenantId::parse(NORTHWIND.tenant_id).map(|tenant| PartnerId::from_tenant(&tenant).to_string());
    [
        ("{contoso}", CONTOSO.tenant_id),
        ("{fabrikam}", FABRIKAM.tenant_id),
        ("{northwind}", NORTHWIND.tenant_id),
        ("{northwind_partner}", partner.as_deref().unwrap_or_default()),
    ]
    .iter()
    .fold(include_str!("start_page.html").to_owned(), |page, (mark, id)| page.replace(mark, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_sample_tenants_and_has_no_script() {
        let page = start_page();
        for text in [CONTOSO.tenant_id, FABRIKAM.tenant_id, NORTHWIND.tenant_id, r#"href="/docs""#, r#"href="/p/ptr_"#]
        {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<script") && !page.contains("{northwind_partner}"));
    }
}
