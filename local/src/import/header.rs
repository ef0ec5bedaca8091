//! The first line names the columns, in any order.

use super::error::HeaderFault;
use super::kind::{Kind, Use};
use crate::csv::{Record, Wrong};

/// Where each column is.
#[derive(Debug)]
pub struct Header {
    kind: Kind,
    names: Vec<&'static str>,
}

/// The fields of a line by the names of their columns.
pub struct Named<'a> {
    header: &'a Header,
    fields: &'a [String],
}

impl Header {
    pub fn read(kind: Kind, first: Option<Result<Record, (u64, Wrong)>>) -> Result<Self, HeaderFault> {
        let record = first.ok_or(HeaderFault::Empty(kind))?.map_err(|(_, wrong)| HeaderFault::Wrong(wrong))?;
        if let [only] = record.fields.as_slice()
            && only.contains([';', '\t'])
        {
            return Err(HeaderFault::Separator);
        }
        let mut names = Vec::new();
        for field in &record.fields {
            let name = known(kind, field)?;
            if names.contains(&name) {
                return Err(HeaderFault::Twice(name));
            }
            names.push(name);
        }
        let required = kind.all_columns().iter().filter(|(_, usage)| *usage == Use::Required);
        match required.map(|(name, _)| *name).find(|name| !names.contains(name)) {
            Some(name) => Err(HeaderFault::Missing { kind, name }),
            None => Ok(Self { kind, names }),
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The fields by name, or how many there are if that is wrong.
    pub fn named<'a>(&'a self, record: &'a Record) -> Result<Named<'a>, String> {
        let (found, expected) = (record.fields.len(), self.names.len());
        if found != expected {
            return Err(format!("the line has {found} fields, and the first line has {expected}"));
        }
        Ok(Named { header: self, fields: &record.fields })
    }
}

impl<'a> Named<'a> {
    /// The field of a column; `None` if the column is absent or the field is empty.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.header.names.iter().position(|column| *column == name)?;
        self.fields.get(at).map(String::as_str).filter(|field| !field.is_empty())
    }
}

fn known(kind: Kind, field: &str) -> Result<&'static str, HeaderFault> {
    let folded = field.to_lowercase().replace([' ', '-'], "_");
    let column = kind.all_columns().iter().find(|(name, _)| *name == folded);
    column.map(|(name, _)| *name).ok_or_else(|| HeaderFault::Unknown { kind, name: field.chars().take(60).collect() })
}
