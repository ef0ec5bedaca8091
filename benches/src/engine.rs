//! The embedded engine in a process of its own, and a client for preparing and comparing data.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::error::{BenchError, During, Result};
use crate::http1::Connection;

pub const TABLE: &str = "multipartner";

pub struct Engine {
    child: Child,
    pub address: SocketAddr,
    connection: Connection,
    /// Kept open, so that the engine can write to it.
    _output: BufReader<ChildStdout>,
}

impl Engine {
    /// Starts `multipartner dynamodb`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(program: &Path, log: &Path) -> Result<Self> {
        if !program.exists() {
            return Err(BenchError::NotBuilt(program.display().to_string()));
        }
        let mut command = Command::new(program);
        command.args(["dynamodb", "--port", "0"]).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(log).on(log)?).spawn().on(program)?;
        let output = child.stdout.take().ok_or_else(|| no_address(""))?;
        let mut lines = BufReader::new(output);
        let mut printed = String::new();
        let address = loop {
            let mut line = String::new();
            if lines.read_line(&mut line).during("engine")? == 0 {
                let _ = child.kill();
                return Err(no_address(&printed));
            }
            if let Some(address) =
                line.split("http://").nth(1).and_then(|rest| rest.trim().trim_end_matches('/').parse().ok())
            {
                break address;
            }
            printed += &line;
        };
        let connection = Connection::open(address).during("engine")?;
        Ok(Self { child, address, connection, _output: lines })
    }

    /// Calls an operation of DynamoDB.
    ///
    /// # Errors
    /// If the engine rejects it.
    pub fn call(&mut self, operation: &str, request: &Value) -> Result<Value> {
        let body = request.to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: engine\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let response = self.connection.exchange((head + &body).as_bytes()).during(operation)?;
        let answer = crate::error::json(operation, &response.body)?;
        if response.start_line().contains(" 200 ") {
            return Ok(answer);
        }
        Err(BenchError::Unexpected { what: operation.to_owned(), expected: "200".into(), got: answer.to_string() })
    }

    /// One item.
    ///
    /// # Errors
    /// If the engine rejects it, or there is none.
    pub fn item(&mut self, pk: &str, sk: &str) -> Result<Value> {
        let request = json!({"TableName": TABLE, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
        Ok(self.call("GetItem", &request)?["Item"].take())
    }

    /// All items.
    ///
    /// # Errors
    /// If the engine rejects it.
    pub fn items(&mut self) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut request = json!({"TableName": TABLE});
        loop {
            let mut page = self.call("Scan", &request)?;
            if let Value::Array(found) = page["Items"].take() {
                items.extend(found);
            }
            match page["LastEvaluatedKey"].take() {
                Value::Null => return Ok(items),
                key => request["ExclusiveStartKey"] = key,
            }
        }
    }

    /// Puts up to 25 items.
    ///
    /// # Errors
    /// If the engine rejects them.
    pub fn put(&mut self, items: Vec<Value>) -> Result<()> {
        let writes: Vec<_> = items.into_iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        self.call("BatchWriteItem", &json!({"RequestItems": {TABLE: writes}})).map(drop)
    }
}

fn no_address(printed: &str) -> BenchError {
    BenchError::Unexpected { what: "engine".into(), expected: "an address".into(), got: printed.to_owned() }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
