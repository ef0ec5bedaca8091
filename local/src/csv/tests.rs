use std::io::BufReader;

use proptest::prelude::*;

use super::*;

/// What is read of a text, through a buffer of this many bytes.
fn read_by(text: &[u8], buffer: usize) -> Vec<Result<Record, (u64, Wrong)>> {
    let mut records = Records::new(BufReader::with_capacity(buffer, text));
    std::iter::from_fn(|| records.next_record().unwrap()).collect()
}

fn read(text: &str) -> Vec<(u64, Vec<String>)> {
    let records = read_by(text.as_bytes(), 8192).into_iter();
    records.map(|record| record.map(|record| (record.line, record.fields)).unwrap()).collect()
}

fn lines(lines: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
    lines.iter().map(|(line, fields)| (*line, fields.iter().map(|&field| field.to_owned()).collect())).collect()
}

#[test]
fn line_ends_byte_order_mark_quotes_and_whitespace_are_read() {
    let expected = lines(&[(1, &["a", "b"]), (2, &["1, one", "say \"2\""]), (3, &["", "x"])]);
    for text in [
        "a,b\n\"1, one\",\"say \"\"2\"\"\"\n,x\n",
        "a,b\r\n\"1, one\",\"say \"\"2\"\"\"\r\n,x",
        "\u{FEFF}a,b\r\n\"1, one\",\"say \"\"2\"\"\"\r\n,x\r\n",
        "  a\t,\u{A0}b \n\" 1, one\",\"say \"\"2\"\" \"\n,x",
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn the_line_of_a_record_is_the_one_where_it_starts() {
    let expected = lines(&[(1, &["a"]), (4, &["1\n2"]), (7, &["3"])]);
    assert_eq!(read("a\n\n\n\"1\n2\"\n\n3\n"), expected);
    assert_eq!(read("a\r\n\r\n\r\n\"1\n2\"\r\n\r\n3\r\n"), expected);
    assert_eq!(read(""), []);
    assert_eq!(read("\u{FEFF}\n\n"), []);
}

#[test]
fn a_line_of_a_mebibyte_is_an_error_and_the_next_is_read() {
    let text = format!("a,b\n{},x\n1,2\n\"{}", "x".repeat(1 << 20), "y\n".repeat(1 << 19));
    for buffer in [1000, 8192, 1 << 21] {
        let records = read_by(text.as_bytes(), buffer);
        assert_eq!(records.len(), 4);
        assert_eq!(records[1], Err((2, Wrong::TooLong)));
        assert_eq!(records[2], Ok(Record { line: 3, fields: vec!["1".into(), "2".into()] }));
        assert!(matches!(records[3], Err((4, Wrong::Unclosed { last: 1000.. }))), "{:?}", records[3]);
    }
}

#[test]
fn wrong_lines_are_errors_of_their_own() {
    let many = ",".repeat(100);
    let records = read_by(format!("{many}\n\"open\n").as_bytes(), 8192);
    assert_eq!(records, [Err((1, Wrong::TooManyFields)), Err((2, Wrong::Quotes))]);
    assert_eq!(read_by(b"\"open\n1\n2\n", 8192), [Err((1, Wrong::Unclosed { last: 3 }))]);
    assert_eq!(read_by(b"5\" pipe,1\n2,3\n", 8)[0], Err((1, Wrong::Quotes)));
    assert_eq!(read_by(b"caf\xE9\n", 8192), [Err((1, Wrong::Encoding))]);
}

#[test]
fn formulas_become_text_and_are_read_back() {
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "＝1", "-2+3;\" x\""] {
        let written = line([formula, "x"]);
        assert!(written.starts_with("\"'"), "{written}");
        assert_eq!(read(&written), lines(&[(1, &[formula, "x"])]));
    }
    assert_eq!(line(["'quoted'", "a-b", "1"]), "'quoted',a-b,1\r\n");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        table in prop::collection::vec(prop::collection::vec(r#"[ab,;"'=+@\r\n\t\x00é日\u{202E}\-]{0,12}"#, 2..6), 1..8),
        buffer in 3_usize..40,
    ) {
        let written: String = table.iter().map(line).collect();
        let read: Vec<_> = read_by(written.as_bytes(), buffer).into_iter().map(|record| record.unwrap().fields).collect();
        let expected: Vec<Vec<_>> =
            table.iter().map(|fields| fields.iter().map(|field| field.trim().to_owned()).collect()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), buffer in 3_usize..40) {
        let records = read_by(&bytes, buffer);
        prop_assert!(records.len() <= bytes.len());
    }
}
