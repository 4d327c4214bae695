//! The description at `/openapi.json` against the gateway itself: every route, every code, every
//! example; and real answers, none of which may hold what the description lacks.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod answers;
mod code;
mod document;
mod prechecks;
mod records;
#[path = "../world/mod.rs"]
mod world;

use std::sync::LazyLock;

use document::Document;
use serde_json::Value;
use world::World;
use world::client::{Client, Reply};

/// The description as the program holds it.
const OCTETS: &[u8] = include_bytes!("../../openapi.json");

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::read(OCTETS));

/// One gateway for all the tests of this file that change nothing.
static WORLD: LazyLock<World> = LazyLock::new(|| World::started(300));

const CLIENTS: [(&str, &str); 10] = [
    ("reception", "reception"),
    ("reception-2", "reception"),
    ("review", "review"),
    ("insurer-06132013", "insurer"),
    ("insurer-138057", "insurer"),
    ("portal", "portal"),
    ("jlis", "jlis"),
    ("city-131016", "city"),
    ("operator", "operator"),
    ("stranger", ""),
];

/// One reply, held against the description; and the request too, where it was taken.
pub(crate) fn post(client: &Client, path: &str, target: &str, body: &Value) -> Reply {
    let reply = client.post(target, body);
    DOCUMENT.assert_describes("POST", path, &reply);
    if reply.status < 300 {
        DOCUMENT.assert_takes("POST", path, body);
    }
    reply
}

pub(crate) fn get(client: &Client, path: &str, target: &str) -> Reply {
    let reply = client.get(target);
    DOCUMENT.assert_describes("GET", path, &reply);
    reply
}

pub(crate) fn feed(client: &Client, source: &str, lines: &str) -> Reply {
    let reply = client.feed(source, lines);
    DOCUMENT.assert_describes("POST", "/v1/feeds/{source}", &reply);
    reply
}

const EMPLOYEE: &str =
    r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03"}"#;

pub(crate) fn employee() -> Value {
    serde_json::from_str(EMPLOYEE).unwrap()
}

pub(crate) fn with(mut query: Value, field: &str, value: Value) -> Value {
    query[field] = value;
    query
}
