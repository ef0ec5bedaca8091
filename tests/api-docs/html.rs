//! Text as HTML.

/// Escapes text for elements and attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A line of Markdown: code, strong text and links.
pub fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => html.push_str(&links(&strong(&escape(part)))),
            _ => html.push_str(&code(part)),
        }
    }
    html
}

/// Paragraphs and lists of Markdown.
pub fn markdown(text: &str) -> String {
    let paragraph = |text: &str| match text.strip_prefix("- ") {
        Some(items) => {
            let items = items.split("\n- ").map(|item| format!("<li>{}</li>", inline(item)));
            format!("<ul>{}</ul>\n", items.collect::<String>())
        }
        None => format!("<p>{}</p>\n", inline(text)),
    };
    text.split("\n\n").filter(|text| !text.is_empty()).map(paragraph).collect()
}

fn strong(text: &str) -> String {
    let parts = text.split("**").enumerate();
    parts
        .map(|(index, part)| if index % 2 == 0 { part.to_owned() } else { format!("<strong>{part}</strong>") })
        .collect()
}

fn links(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        html.push_str(before);
        let link = after.split_once("](").and_then(|(shown, after)| Some((shown, after.split_once(')')?)));
        match link {
            Some((shown, (target, after))) => {
                html.push_str(&format!("<a href=\"{target}\">{shown}</a>"));
                rest = after;
            }
            None => {
                html.push('[');
                rest = after;
            }
        }
    }
    html + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_strong_text_and_links_become_elements() {
        let html = inline("**A** `<b>` [c](https://d.example) [e] & f");
        let expected = "<strong>A</strong> <code>&lt;b&gt;</code> <a href=\"https://d.example\">c</a> [e] &amp; f";
        assert_eq!(html, expected);
    }

    #[test]
    fn paragraphs_and_lists_are_separated_by_blank_lines() {
        assert_eq!(markdown("a\n\n- b\n- c"), "<p>a</p>\n<ul><li>b</li><li>c</li></ul>\n");
    }
}
