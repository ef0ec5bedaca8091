//! The curves as one SVG: a column for each thing that there are many of; above, the time of each request, below, its units.

use std::fmt::Write;

use crate::{Many, Request, Row, SIZES};

const LEFT: f64 = 64.0;
const WIDTH: f64 = 190.0;
const GAP: f64 = 34.0;
const TOP: f64 = 74.0;
const HEIGHT: f64 = 220.0;
const BETWEEN: f64 = 98.0;
/// Colors that are told apart on white and on black, and by people who see fewer colors; lines also differ in their dashes.
const LINES: [(&str, &str); 9] = [
    ("#0b7bd4", ""),
    ("#d95f02", ""),
    ("#1b9e77", ""),
    ("#a05cc6", ""),
    ("#0b7bd4", "6 3"),
    ("#d95f02", "6 3"),
    ("#1b9e77", "6 3"),
    ("#a05cc6", "6 3"),
    ("#888888", "2 3"),
];
const STYLE: &str = "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#222}.panel{font-weight:600}.axis{stroke:#222}.grid{stroke:#ddd}\
    @media(prefers-color-scheme:dark){svg{background:#111}text{fill:#eee}.axis{stroke:#eee}.grid{stroke:#444}}";

/// The marks of a logarithmic axis, as far as values go.
const MARKS: [f64; 17] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0,
];

/// What a panel shows: its title, and the value.
type Panel = (&'static str, fn(&crate::Cost) -> f64);

const PANELS: [Panel; 2] = [
    ("Time of one request in ms (median, embedded engine)", |cost| cost.p50_ms),
    ("Read and write units of one request", |cost| cost.units),
];

pub fn draw(rows: &[Row]) -> String {
    let width = LEFT + (WIDTH + GAP) * 5.0;
    let height = TOP + 2.0 * HEIGHT + 2.0 * BETWEEN + 60.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">Time and cost of requests with 1, 1 000 and 100 000 of \
         something</title>\n<style>{STYLE}</style>\n"
    );
    for (number, panel) in PANELS.iter().enumerate() {
        let top = TOP + number as f64 * (HEIGHT + BETWEEN);
        let marks = marks(rows.iter().flat_map(|row| &row.costs).map(|(_, cost)| panel.1(cost)));
        let _ = writeln!(svg, "<text class=\"panel\" x=\"{}\" y=\"{}\">{}</text>", LEFT - 50.0, top - 24.0, panel.0);
        for (column, many) in Many::ALL.into_iter().enumerate() {
            let left = LEFT + column as f64 * (WIDTH + GAP);
            axes(&mut svg, left, top, marks, many.name(), column == 0);
            curves(&mut svg, rows, many, (panel, marks), (left, top));
        }
    }
    legend(&mut svg, TOP + 2.0 * HEIGHT + 2.0 * BETWEEN - 20.0);
    svg.push_str("</svg>\n");
    svg
}

/// From the last mark below all values to the first above them.
fn marks(values: impl Iterator<Item = f64>) -> &'static [f64] {
    let (least, most) = values.fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    let first = MARKS.iter().rposition(|mark| *mark <= least).unwrap_or_default();
    let last = MARKS.iter().position(|mark| *mark >= most).unwrap_or(MARKS.len() - 1);
    &MARKS[first..=last.max(first + 1)]
}

fn x(left: f64, size: u64) -> f64 {
    let place = SIZES.iter().position(|known| *known == size).unwrap_or_default() as f64;
    left + 16.0 + place * (WIDTH - 32.0) / 2.0
}

fn y(top: f64, marks: &[f64], value: f64) -> f64 {
    let (low, high) = (marks[0].ln(), marks[marks.len() - 1].ln());
    let part = (value.max(marks[0]).min(marks[marks.len() - 1]).ln() - low) / (high - low);
    top + HEIGHT * (1.0 - part)
}

fn axes(svg: &mut String, left: f64, top: f64, marks: &[f64], name: &str, is_first: bool) {
    for mark in marks {
        let at = y(top, marks, *mark);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
            left + WIDTH
        );
        if is_first {
            text(svg, left - 8.0, at + 4.0, "end", &mark.to_string());
        }
    }
    let bottom = top + HEIGHT;
    let _ = writeln!(svg, "<path class=\"axis\" fill=\"none\" d=\"M{left} {top}V{bottom}H{:.1}\"/>", left + WIDTH);
    for size in SIZES {
        let label = match size {
            1 => "1",
            1_000 => "1 000",
            _ => "100 000",
        };
        text(svg, x(left, size), bottom + 16.0, "middle", label);
    }
    text(svg, left + WIDTH / 2.0, bottom + 33.0, "middle", name);
}

fn curves(svg: &mut String, rows: &[Row], many: Many, (panel, marks): (&Panel, &[f64]), (left, top): (f64, f64)) {
    for (number, request) in Request::ALL.into_iter().enumerate() {
        let mut points = String::new();
        for row in rows.iter().filter(|row| row.many == many) {
            let cost = row.costs.iter().find(|(known, _)| *known == request);
            if let Some((_, cost)) = cost {
                let _ = write!(points, "{:.1},{:.1} ", x(left, row.size), y(top, marks, panel.1(cost)));
            }
        }
        let (color, dashes) = LINES[number];
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\" points=\"{}\"/>",
            points.trim_end()
        );
    }
}

fn legend(svg: &mut String, top: f64) {
    for (number, request) in Request::ALL.into_iter().enumerate() {
        let (left, top) = (LEFT + (number % 5) as f64 * (WIDTH + GAP), top + (number / 5) as f64 * 22.0);
        let (color, dashes) = LINES[number];
        let _ = writeln!(
            svg,
            "<line stroke=\"{color}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\" x1=\"{left}\" x2=\"{}\" \
             y1=\"{top}\" y2=\"{top}\"/>",
            left + 28.0
        );
        text(svg, left + 36.0, top + 4.0, "start", request.name());
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}
