//! The ratios that the design bounds, each from values of this run.

use serde_json::{Value, json};

use super::Run;
use crate::contender::{Build, Command};
use crate::error::Result;
use crate::measure::{Bench, Plan, Subject, Target, log, seconds_since_1970};
use crate::process::Launch;
use crate::report::{Table, number, say, spread, times};
use crate::stats::{Sample, round};
use crate::supply::Feed;

/// The bytes of a signed body.
const SIGNED: usize = 4 * 1024;

pub fn run(run: &mut Run<'_>) -> Result<()> {
    let Some(hello) = run.hello.clone() else { return say("skipped: there is no hello world to compare with") };
    let mut table =
        Table::new(&["", "build", "measured", "compared with", "ratio or difference", "of the least values", "bound"]);
    let mut rows = Vec::new();
    let mut add = |cells: [&str; 3], values: [&Sample; 2], result: (f64, &str), bound: &str| {
        let [what, build, unit] = cells;
        let shown = values.map(|sample| format!("{} {unit}", spread(sample)));
        let [measured, base] = shown;
        table.row(vec![
            what.into(),
            build.into(),
            measured,
            base,
            format!("{}{}", number(result.0), result.1),
            // A difference of medians is one value.
            if values[0].is_single() { "–".into() } else { times(values[0].least(), values[1].least()) },
            bound.into(),
        ]);
        rows.push(json!({
            "what": what, "build": build, "measured": values[0].to_json(), "base": values[1].to_json(), "result": round(result.0),
            "ratio_of_least": round(values[0].least() / values[1].least().max(f64::MIN_POSITIVE)),
            "unit": result.1, "bound": bound,
        }));
    };
    let ratio = |a: &Sample, b: &Sample| (a.median() / b.median().max(f64::MIN_POSITIVE), "x");

    for command in Command::ALL {
        // Hello and all builds in the same rounds: by HTTP, by TLS, by TLS with one authority to read (at AWS: none), and by HTTP with
        // calls that are counted and timed.
        let by_http = measure(run, command, &hello, Reach::Direct)?;
        let by_tls = measure(run, command, &hello, Reach::Tls)?;
        let by_short_tls = measure(run, command, &hello, Reach::ShortTls)?;
        let counted = measure(run, command, &hello, Reach::Counted)?;
        let name = command.name();
        let zipped = by_http.iter().zip(&by_tls).zip(&by_short_tls).zip(&counted).skip(1);
        let floors = [&by_http, &by_tls, &by_short_tls, &counted].map(|all| all[0].results.clone());
        let [floor, floor_tls, floor_short_tls, floor_counted] = floors;
        for (((http, tls), short_tls), counted) in zipped {
            let build = http.name.as_str();
            let (http, tls, short_tls, counted) = (&http.results, &tls.results, &short_tls.results, &counted.results);
            let title = |text: &str| format!("{name}: {text}");
            let (start, cpu) = ([&http.start, &floor.start], [&http.start_main_cpu, &floor.start_main_cpu]);
            add([&title("start, HTTP / hello"), build, "ms"], start, ratio(start[0], start[1]), "≤1.7x");
            add([&title("CPU of main thread at start, HTTP / hello"), build, "ms"], cpu, ratio(cpu[0], cpu[1]), "");
            let cpu = [&tls.start_main_cpu, &floor_tls.start_main_cpu];
            let what = title("CPU of main thread at start, TLS with the system's authorities / hello");
            add([&what, build, "ms"], cpu, ratio(cpu[0], cpu[1]), "≤2x");
            let cpu = [&short_tls.start_main_cpu, &floor_short_tls.start_main_cpu];
            let what = title("CPU of main thread at start, TLS with one authority / hello");
            add([&what, build, "ms"], cpu, ratio(cpu[0], cpu[1]), "≤2x");
            let first = [&tls.first, &tls.cold];
            add(
                [&title("first, TLS / warm after caches expired"), build, "ms"],
                first,
                ratio(first[0], first[1]),
                "≤1.2x",
            );
            let cpu = [&tls.first_cpu, &tls.cold_cpu];
            add([&title("CPU of these two"), build, "ms"], cpu, ratio(cpu[0], cpu[1]), "");
            let calls = [&tls.first_calls, &tls.warm_calls];
            add(
                [&title("calls of the first request / of a warm one"), build, ""],
                calls,
                (calls[0].median(), " calls"),
                "≤2",
            );
            let warm = [&counted.warm, &counted.warm_table];
            add([&title("warm / its calls by a bare client"), build, "ms"], warm, ratio(warm[0], warm[1]), "≤1.2x");
            let without = Sample::from([counted.warm.median() - floor_counted.warm.median()]);
            let less = [&without, &counted.warm_table];
            add(
                [&title("warm minus hello / its calls by a bare client"), build, "ms"],
                less,
                ratio(less[0], less[1]),
                "",
            );
        }
    }
    let signed = signed(run, &hello)?;
    let floor = signed[0].results.clone();
    for subject in signed.iter().skip(1) {
        let values = [&subject.results.warm, &floor.warm];
        let more = |percent: f64| (values[0].percentile(percent) - values[1].percentile(percent)) * 1_000.0;
        let what = "signed 4 KiB body, rejected before the table: p50 minus hello";
        add([what, &subject.name, "ms"], values, (more(50.0), " µs"), "");
        let what = "signed 4 KiB body, rejected before the table: p99 minus hello";
        add([what, &subject.name, "ms"], values, (more(99.0), " µs"), "≤150 µs");
    }
    table.print()?;
    run.json.insert("ratios".into(), Value::Array(rows));
    Ok(())
}

#[derive(Clone, Copy)]
enum Reach {
    Direct,
    Tls,
    /// TLS, without the system's authorities to read.
    ShortTls,
    Counted,
}

/// The hello world first, then each build.
fn measure(run: &mut Run<'_>, command: Command, hello: &Launch, reach: Reach) -> Result<Vec<Subject>> {
    let mut subjects = vec![Subject::new("hello world", hello.clone(), Feed::Fixed(b"{}".to_vec()), None)];
    let builds = super::commands::subjects(run, command).into_iter();
    subjects.extend(builds.filter(|subject| run.builds.iter().any(|build: &Build| build.label == subject.name)));
    let variables = match reach {
        Reach::Direct => run.direct()?,
        Reach::Tls => run.secure()?,
        Reach::ShortTls => run.secure_with_one_authority()?,
        Reach::Counted => run.counted()?,
    };
    let proxy = match reach {
        Reach::Direct => None,
        Reach::Tls | Reach::ShortTls => Some(&run.tls),
        Reach::Counted => Some(&run.plain),
    };
    let warm = if matches!(reach, Reach::Direct | Reach::ShortTls) { 0 } else { run.options.warm };
    let plan = Plan { rounds: run.options.rounds, warm, cold: matches!(reach, Reach::Tls) };
    let log = log(&run.options.output);
    Bench { supply: &mut run.supply, target: Target { variables, proxy }, plan, quota: None, log }
        .run(&mut subjects)?;
    Ok(subjects)
}

/// A webhook with a valid signature and a message that is too long. Everything runs except what reaches the table; the partner is
/// cached after the first request.
fn signed(run: &mut Run<'_>, hello: &Launch) -> Result<Vec<Subject>> {
    let data = json!({"customer_tenant_id": run.supply.customer, "delegated_admin": null, "message": ""});
    let envelope = json!({"type": "invitation.create", "data": data}).to_string();
    let body =
        envelope.replace("\"message\":\"\"", &format!("\"message\":\"{}\"", "m".repeat(SIGNED - envelope.len())));
    let event = run.supply.events.signed(&run.supply.partners[0], "bench", seconds_since_1970(), &body)?;
    let mut subjects = vec![Subject::new("hello world", hello.clone(), Feed::Fixed(event.clone()), None)];
    for build in &run.builds {
        let Some(launch) = build.launch(Command::Create.function()) else { continue };
        subjects.push(Subject::new(&*build.label, launch, Feed::Fixed(event.clone()), Some(422)));
    }
    // Enough for a p99 in every round.
    let plan = Plan { rounds: run.options.rounds, warm: run.options.warm.max(500), cold: false };
    let (target, log) = (Target { variables: run.direct()?, proxy: None }, log(&run.options.output));
    Bench { supply: &mut run.supply, target, plan, quota: None, log }.run(&mut subjects)?;
    Ok(subjects)
}
