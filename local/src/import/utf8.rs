//! Finds the first byte of a file that is not UTF-8.

use super::error::EncodingFault;

/// Checks a file block by block.
#[derive(Default)]
pub struct Utf8 {
    /// Bytes of the file before the next block.
    before: u64,
    lines: u64,
    /// A character whose end is in the next block.
    open: Vec<u8>,
}

impl Utf8 {
    /// Checks the next block; an empty one is the end.
    pub fn check(&mut self, block: &[u8]) -> Result<(), EncodingFault> {
        if self.before == 0 && (block.starts_with(b"\xFF\xFE") || block.starts_with(b"\xFE\xFF")) {
            return Err(EncodingFault { offset: 0, line: 1, byte: block[0], is_utf16: true });
        }
        let kept = self.open.len();
        if block.is_empty() {
            return if kept == 0 { Ok(()) } else { Err(self.fault(0, self.open[0], kept)) };
        }
        let joined: Vec<u8> = std::mem::take(&mut self.open).into_iter().chain(block.iter().copied()).collect();
        if let Err(error) = std::str::from_utf8(&joined) {
            let valid = error.valid_up_to();
            if error.error_len().is_some() {
                self.lines += count_lines(&joined[..valid]);
                return Err(self.fault(valid, joined[valid], kept));
            }
            self.open = joined[valid..].to_vec();
        }
        self.lines += count_lines(block);
        self.before += block.len() as u64;
        Ok(())
    }

    /// `at` counts from the start of the bytes that were kept.
    fn fault(&self, at: usize, byte: u8, kept: usize) -> EncodingFault {
        let offset = self.before + at as u64 - kept as u64;
        EncodingFault { offset, line: self.lines + 1, byte, is_utf16: false }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], block: usize) -> Result<(), (u64, u64, u8)> {
        let mut utf8 = Utf8::default();
        let blocks = text.chunks(block).chain([&[][..]]);
        blocks
            .into_iter()
            .try_for_each(|block| utf8.check(block))
            .map_err(|fault| (fault.offset, fault.line, fault.byte))
    }

    #[test]
    fn the_first_wrong_byte_is_found_in_blocks_of_any_size() {
        for block in 1..12 {
            assert_eq!(check("a,b\né,日本\n😀".as_bytes(), block), Ok(()), "{block}");
            assert_eq!(check(b"a\nb\ncaf\xE9,x\n", block), Err((7, 3, 0xE9)), "{block}");
            assert_eq!(check(b"\xC3\xA9\n\xE6\x97", block), Err((3, 2, 0xE6)), "{block}");
            assert_eq!(check(b"\xC3\xA9\n\xE6\x97x", block), Err((3, 2, 0xE6)), "{block}");
        }
    }

    #[test]
    fn utf_16_is_recognized() {
        let fault = Utf8::default().check(b"\xFF\xFEa\0").unwrap_err();
        assert!(fault.is_utf16 && fault.to_string().contains("UTF-16"));
    }
}
