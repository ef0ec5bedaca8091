//! Files that are wrong as a whole, and result files.

use std::fs::OpenOptions;
use std::io::Write;

use super::*;

fn error(text: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("import.csv");
    std::fs::write(&path, text).unwrap();
    Import::check(Kind::Customers, &path).err().unwrap().to_string()
}

#[test]
fn a_wrong_encoding_is_reported_with_its_byte_before_anything_is_sent() {
    let text = [b"tenant_id,name,cloud,market\n1,a,public,US\n2,caf".as_slice(), b"\xE9,public,US\n"].concat();
    let error = error(&text);
    assert!(error.contains("0xE9 at offset 47 (line 3)") && error.contains("Nothing was sent"), "{error}");
    // Behind the first block of the file.
    let long = customers(0..20_000).into_bytes();
    let (offset, line) = (long.len() + 1, 20_002);
    let error = self::error([long, b"x\xFF".to_vec()].concat());
    assert!(error.contains(&format!("0xFF at offset {offset} (line {line})")), "{error}");
    assert!(self::error(b"\xFF\xFEt\0").contains("UTF-16"));
}

#[test]
fn a_wrong_first_line_is_reported() {
    for (text, expected) in [
        ("", "the file is empty"),
        ("tenant_id;name;cloud;market\n", "separated by commas"),
        (
            "tenant_id,name,cloud,market,Farbe\n",
            "unknown column `Farbe`. The columns of customers are: tenant_id, name,",
        ),
        ("tenant_id,name,cloud,market,name\n", "duplicate column `name`"),
        ("tenant_id,name,cloud\n", "`market` is missing"),
        ("\"tenant_id,name,cloud,market\n", "quotation mark"),
    ] {
        let error = error(text);
        assert!(error.contains(expected), "{error}");
    }
    let open = customers([1]) + "2,\"a,public,US\n" + &"3,b,public,US\n".repeat(2000);
    let open = error(open);
    assert!(
        open.contains("line 3: a quotation mark is opened and not closed; lines 3 to 2003 were read as one"),
        "{open}"
    );
    let long = error(customers([1]) + "2,\"a,public,US\n" + &"3,b,public,US\n".repeat(20_000));
    assert!(long.contains("line 3: a quotation mark is opened"), "{long}");
    let missing = Import::check(Kind::Customers, Path::new("missing.csv")).err().unwrap().to_string();
    assert!(missing.contains("cannot read missing.csv"), "{missing}");
    let folder = Import::check(Kind::Customers, &std::env::temp_dir()).err().unwrap().to_string();
    assert!(folder.contains("is not a file"), "{folder}");
}

#[tokio::test]
async fn wrong_lines_are_results_and_the_others_are_sent() {
    let place = Place::new().await;
    let text = customers([1])
        + &format!("{},{},public,US\n", tenant(2), "x".repeat(1 << 20))
        + "only,three,fields\n"
        + "no-uuid,,private,XX\n"
        + &format!("{},\"a\u{202E}b\",public,US\n{},5\" pipe,public,US\n", tenant(3), tenant(4))
        + &format!("{},Last,public,US\n", tenant(5));
    let rows = place.import(Kind::Customers, &text).await;
    let invalid = |line| (line, Outcome::Failed, "line_invalid");
    let expected = [
        (2, Outcome::Created, ""),
        invalid(3),
        invalid(4),
        invalid(5),
        invalid(6),
        invalid(7),
        (8, Outcome::Created, ""),
    ];
    assert_eq!(outcomes(&rows), expected);
    assert!(rows[1].message.contains("longer than 65536 bytes") && rows[2].message.contains("3 fields"), "{rows:?}");
    for name in ["tenant_id", "name", "cloud", "market"] {
        assert!(rows[3].message.contains(&format!("`{name}`: ")), "{}", rows[3].message);
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_stops_the_import() {
    let place = Place::new().await;
    // Several blocks, of which only the first line is sent.
    let text = customers([1; 20_000]);
    for change in ["append", "replace", "truncate"] {
        let path = place.file("changing.csv", &text);
        let server = place.server(Kind::Customers);
        let ready = Import::check(Kind::Customers, &path).unwrap().prepare(&server, 4).await.unwrap();
        let mut rows = 0;
        let report = |_: &Row| {
            rows += 1;
            let open = || OpenOptions::new().append(true).open(&path).unwrap();
            let middle = text.len() / 2;
            match change {
                _ if rows != 20 => {}
                "append" => writeln!(open(), "x,y,public,US").unwrap(),
                "truncate" => open().set_len(middle as u64).unwrap(),
                _ => std::fs::write(&path, [&text[..middle], "x", &text[middle + 1..]].concat()).unwrap(),
            }
            Ok(())
        };
        let ran = ready.run(report, &mut Progress::silent(), pending()).await;
        assert!(matches!(ran.stopped, Some(Stop::File(FileError::Changed(_)))), "{change}: {:?}", ran.stopped);
    }
}

#[tokio::test]
async fn a_change_is_found_before_a_changed_line_is_sent() {
    let place = Place::new().await;
    // Two blocks of the file: the first is read, and the second changes before it is read.
    let text = "\n".repeat(300 * 1024);
    let path = place.file("changing.csv", customers([1, 2]) + &text + &format!("{},Last,public,US\n", tenant(3)));
    let server = place.server(Kind::Customers);
    let ready = Import::check(Kind::Customers, &path).unwrap().prepare(&server, 1).await.unwrap();
    let mut rows = Vec::new();
    let report = |row: &Row| {
        if rows.is_empty() {
            let changed = std::fs::read_to_string(&path).unwrap().replace("Last", "Lost");
            std::fs::write(&path, changed).unwrap();
        }
        rows.push(row.line);
        Ok(())
    };
    let ran = ready.run(report, &mut Progress::silent(), pending()).await;
    assert_eq!(rows, [2, 3]);
    assert!(matches!(ran.stopped, Some(Stop::File(FileError::Changed(_)))), "{:?}", ran.stopped);
    assert_eq!(place.list("/v1/customers").await.iter().filter(|one| one["name"] == "Lost").count(), 0);
}

#[test]
fn a_result_file_is_private_and_replaces_nothing() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let imported = folder.0.join("customers.csv");
    let create = |path: Option<&Path>| Results::create(Kind::Invitations, path, &imported);
    let mut results = create(None).unwrap();
    assert_eq!(results.path(), folder.0.join("customers.results.csv"));
    let link = Link { accept_url: "https://x/i/inv_1#t".into(), expires_at: "2026-12-01T00:00:00.000Z".into() };
    results.add(&Row { link: Some(link), ..Row::new(2, Outcome::Created, "") }).unwrap();
    results.add(&Row::new(3, Outcome::Failed, "=a, b").with_code("customer_unknown")).unwrap();
    let path = results.path().to_owned();
    results.finish().unwrap();
    let expected = "line,outcome,code,message,accept_url,expires_at\r\n\
                    2,created,,,https://x/i/inv_1#t,2026-12-01T00:00:00.000Z\r\n\
                    3,failed,customer_unknown,\"'=a, b\",,\r\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(create(None).unwrap().path(), folder.0.join("customers.results-2.csv"));
    let error = create(Some(&path)).err().unwrap().to_string();
    assert!(error.contains("exists"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}
