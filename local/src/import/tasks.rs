//! Groups lines into requests. Subscriptions of one customer go together, because a batch is for one customer.

use std::collections::{HashMap, VecDeque};

use domain::TenantId;

use super::error::FileError;
use super::item::Item;
use super::lines::{Line, Lines};
use super::row::Row;

/// Lines that are held back until their batches are full. It bounds the memory: about 800 bytes for each.
const MAX_HELD: usize = 100_000;

/// Maximum bytes of the lines of a batch. The API allows 256 KiB.
const MAX_BYTES: usize = 200 * 1024;

/// One request, or none.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    Known(Row),
    One(Item),
    Batch(Vec<Item>),
}

pub struct Tasks {
    lines: Option<Lines>,
    batches: Batches,
}

impl Tasks {
    /// At most `batch_size` lines of one customer are one request. With 0, each line is a request of its own.
    pub fn new(lines: Lines, batch_size: usize) -> Self {
        Self { lines: Some(lines), batches: Batches { size: batch_size, ..Batches::default() } }
    }

    /// The next task; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Task>, FileError> {
        while let Some(lines) = &mut self.lines {
            match lines.next()? {
                Some(Line::Known(row)) => return Ok(Some(Task::Known(row))),
                Some(Line::Item(item)) if self.batches.size == 0 => return Ok(Some(Task::One(item))),
                Some(Line::Item(item)) => {
                    if let Some(full) = self.batches.add(item, MAX_HELD) {
                        return Ok(Some(Task::Batch(full)));
                    }
                }
                None => self.lines = None,
            }
        }
        Ok(self.batches.oldest().map(Task::Batch))
    }
}

#[derive(Default)]
struct Batches {
    size: usize,
    by_customer: HashMap<TenantId, Vec<Item>>,
    /// The customers in the order of their first lines. A customer without lines may be in it.
    order: VecDeque<TenantId>,
    held: usize,
}

impl Batches {
    /// Returns a batch that is to be sent now.
    fn add(&mut self, item: Item, most: usize) -> Option<Vec<Item>> {
        let customer = item.customer.clone();
        let before = self.by_customer.get(&customer).map(|batch| bytes(batch)).unwrap_or_default();
        let too_large = if before + item.body.len() > MAX_BYTES { self.take(&customer) } else { None };
        let batch = self.by_customer.entry(customer.clone()).or_default();
        if batch.is_empty() {
            self.order.push_back(customer.clone());
        }
        batch.push(item);
        self.held += 1;
        match too_large {
            Some(full) => Some(full),
            None if self.by_customer.get(&customer).is_some_and(|batch| batch.len() >= self.size) => {
                self.take(&customer)
            }
            None if self.held > most => self.oldest(),
            None => None,
        }
    }

    /// The batch of the customer whose first line came first.
    fn oldest(&mut self) -> Option<Vec<Item>> {
        while let Some(customer) = self.order.pop_front() {
            if let Some(batch) = self.take(&customer) {
                return Some(batch);
            }
        }
        None
    }

    fn take(&mut self, customer: &TenantId) -> Option<Vec<Item>> {
        let batch = self.by_customer.remove(customer)?;
        self.held -= batch.len();
        Some(batch)
    }
}

fn bytes(batch: &[Item]) -> usize {
    batch.iter().map(|item| item.body.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(customer: u64, line: u64) -> Item {
        let customer = TenantId::parse(&format!("00000000-0000-4000-8000-{customer:012}")).unwrap();
        Item { line, customer, partner: None, key: line.to_string(), body: String::new() }
    }

    /// The lines of the batches that come of lines for these customers.
    fn batched(customers: &[u64], size: usize, most: usize) -> Vec<Vec<u64>> {
        let mut batches = Batches { size, ..Batches::default() };
        let mut all: Vec<_> =
            customers.iter().zip(1..).filter_map(|(customer, line)| batches.add(item(*customer, line), most)).collect();
        all.extend(std::iter::from_fn(|| batches.oldest()));
        assert_eq!(batches.held, 0);
        all.iter().map(|batch| batch.iter().map(|item| item.line).collect()).collect()
    }

    #[test]
    fn lines_of_one_customer_go_together() {
        assert_eq!(batched(&[1, 2, 1, 2, 1], 3, 100), [vec![1, 3, 5], vec![2, 4]]);
        assert_eq!(batched(&[1, 2, 1, 2, 1, 1], 3, 100), [vec![1, 3, 5], vec![6], vec![2, 4]]);
    }

    #[test]
    fn a_batch_is_not_larger_than_a_request_may_be() {
        let mut batches = Batches { size: 40, ..Batches::default() };
        let large = |line| Item { body: "x".repeat(60 * 1024), ..item(1, line) };
        let sent: Vec<_> = (1..=7).filter_map(|line| batches.add(large(line), 100)).map(|batch| batch.len()).collect();
        assert_eq!((sent, batches.oldest().unwrap().len()), (vec![3, 3], 1));
    }

    #[test]
    fn the_oldest_batch_goes_when_too_many_lines_are_held() {
        assert_eq!(batched(&[1, 2, 3, 1, 2], 40, 2), [vec![1], vec![2], vec![3], vec![4], vec![5]]);
    }
}
