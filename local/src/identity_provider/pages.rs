//! The pages. They have no script. Each form posts to the address of its page, which holds the app's request.

use domain::TenantId;

use super::people::{PEOPLE, SamplePerson};

/// Errors that a provider can return to the app.
const ERRORS: [&str; 4] = ["access_denied", "interaction_required", "server_error", "temporarily_unavailable"];

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn page(title: &str, main: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} - development identity provider</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff }}
button, select {{ font: inherit; padding: .5rem 1rem; min-height: 2.75rem }}
li {{ margin: .75rem 0; list-style: none }}
ul {{ padding: 0 }}
small {{ display: block }}
</style>
</head>
<body>
<main>
<p><strong>Development identity provider.</strong> It has no passwords. Use it only on this machine.</p>
<h1>{title}</h1>
{main}
</main>
</body>
</html>
"#
    )
}

/// Who signs in?
pub(super) fn people(tenant: &TenantId, redirect_uri: &str) -> String {
    let button = |person: &SamplePerson| {
        format!(
            "<li><button name=\"person\" value=\"{}\">{}</button><small>{}</small></li>\n",
            person.key, person.name, person.about
        )
    };
    let people: String = PEOPLE.iter().map(button).collect();
    let errors: String = ERRORS.iter().map(|error| format!("<option>{error}</option>\n")).collect();
    page(
        "Sign in",
        &format!(
            r#"<p>Organization {tenant}. You return to {}.</p>
<form method="post">
<ul>
{people}</ul>
<p><label><input type="checkbox" name="slow"> Respond too slowly when the app redeems the code</label></p>
</form>
<form method="post">
<p><label for="error">Return an error instead</label>
<select id="error" name="error">
{errors}</select>
<button>Return</button></p>
</form>"#,
            escape(redirect_uri)
        ),
    )
}

/// Does the organization let the app sign in its people?
pub(super) fn consent(person: &SamplePerson, slow: bool) -> String {
    let slow = if slow { r#"<input type="hidden" name="slow" value="on">"# } else { "" };
    page(
        "Permissions requested",
        &format!(
            r#"<p>{}, Multipartner asks to sign you in and to read your name and your directory roles.</p>
<form method="post">
<input type="hidden" name="person" value="{}">{slow}
<p><button name="consent" value="accept">Accept</button>
<button name="consent" value="cancel">Cancel</button></p>
</form>"#,
            person.name, person.key
        ),
    )
}

pub(super) fn signed_out() -> String {
    page("You signed out", "<p>You can close this page.</p>")
}

/// The app's request is malformed.
pub(super) fn malformed(parameter: &str) -> String {
    page("The app's request is malformed", &format!("<p>Parameter: {}.</p>", escape(parameter)))
}
