//! The service's own description, and whether a value fits what it says.
//!
//! Knows OpenAPI 3.1 as far as the description uses it. Asks no gateway.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::world::client::Reply;

/// How a value is held against a schema.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holding {
    /// As any client may: answers may have grown.
    Open,
    /// As the description's own keeper: no field may be there that it lacks.
    Closed,
}

/// The description.
pub(crate) struct Document {
    pub(crate) root: Value,
    closed: Value,
    /// Making a validator costs more than using it.
    made: Mutex<HashMap<(String, Holding), Arc<Validator>>>,
}

impl Document {
    pub(crate) fn read(octets: &[u8]) -> Self {
        let root: Value = serde_json::from_slice(octets).unwrap();
        let mut closed = root["components"].clone();
        close(&mut closed["schemas"]);
        Self { root, closed, made: Mutex::default() }
    }

    /// A schema of the description, its references resolved within it.
    pub(crate) fn validator(&self, schema: &Value, holding: Holding) -> Arc<Validator> {
        let mut made = self.made.lock().unwrap();
        let make = || Arc::new(self.make(schema, holding));
        Arc::clone(made.entry((schema.to_string(), holding)).or_insert_with(make))
    }

    fn make(&self, schema: &Value, holding: Holding) -> Validator {
        let mut whole = schema.clone();
        let components =
            if holding == Holding::Closed { self.closed.clone() } else { self.root["components"].clone() };
        whole["components"] = components;
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .build(&whole)
            .unwrap_or_else(|error| panic!("no schema: {error}: {schema}"))
    }

    /// Fails when the value does not fit the schema.
    pub(crate) fn assert_fits(&self, schema: &Value, value: &Value, holding: Holding, what: &str) {
        let validator = self.validator(schema, holding);
        let faults: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(faults.is_empty(), "{what}: {faults:#?} in {value:#}");
    }

    /// The object itself, or what it refers to.
    pub(crate) fn resolved<'d>(&'d self, object: &'d Value) -> &'d Value {
        match object["$ref"].as_str() {
            None => object,
            Some(reference) => self
                .root
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or_else(|| panic!("{reference} is nowhere")),
        }
    }

    /// Every operation: path template, method in capitals, what is said of it.
    pub(crate) fn operations(&self) -> Vec<(&str, String, &Value)> {
        let paths = self.root["paths"].as_object().unwrap();
        let methods = ["get", "put", "post", "delete", "patch"];
        let of = |(path, item)| {
            let each = methods.into_iter().filter_map(move |method| {
                let operation: &Value = &(item as &Value)[method];
                operation.is_object().then(|| (path as &String, method.to_uppercase(), operation))
            });
            each.map(|(path, method, operation)| (path.as_str(), method, operation))
        };
        paths.iter().flat_map(of).collect()
    }

    /// Whether the path is one of the operator's own listener.
    pub(crate) fn is_admin(&self, path: &str) -> bool {
        self.root["paths"][path]["servers"].is_array()
    }

    /// The codes of problems that a response may carry.
    pub(crate) fn codes(&self, response: &Value) -> Vec<String> {
        let response = self.resolved(response);
        let codes = &response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"];
        codes.as_array().into_iter().flatten().map(|code| code.as_str().unwrap().to_owned()).collect()
    }

    /// The examples of a media type, header or parameter, by name.
    pub(crate) fn examples<'d>(&'d self, of: &'d Value) -> BTreeMap<String, &'d Value> {
        let named = of["examples"].as_object().into_iter().flatten();
        let mut all: BTreeMap<_, _> =
            named.map(|(name, example)| (name.clone(), &self.resolved(example)["value"])).collect();
        if let Some(value) = of.get("example") {
            all.insert("example".to_owned(), value);
        }
        all
    }

    /// Fails when a reply is not one that the description lets this operation give.
    pub(crate) fn assert_describes(&self, method: &str, path: &str, reply: &Reply) {
        let operation = &self.root["paths"][path][method.to_lowercase()];
        let responses = if operation.is_object() { operation } else { &self.root["x-any-other-path"] };
        self.assert_response(&responses["responses"], reply, &format!("{method} {path}"));
    }

    fn assert_response(&self, responses: &Value, reply: &Reply, what: &str) {
        let what = format!("{what} {}", reply.status);
        let response = &responses[reply.status.to_string()];
        assert!(response.is_object(), "{what}: not described: {reply:?}");
        let response = self.resolved(response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let value = reply.header(name).map_or(Value::Null, |value| json!(value));
            self.assert_fits(
                &self.resolved(header)["schema"],
                &value,
                Holding::Closed,
                &format!("{what} {name}"),
            );
        }
        let Some(content) = response["content"].as_object() else {
            assert!(reply.body.is_empty(), "{what}: a body where none is described: {reply:?}");
            return;
        };
        let kind = reply.header("content-type").unwrap_or_default();
        let media = content.get(kind).unwrap_or_else(|| panic!("{what}: {kind} is not described"));
        if matches!(kind, "application/json" | "application/problem+json") {
            return self.assert_fits(&media["schema"], &reply.json(), Holding::Closed, &what);
        }
        let text = String::from_utf8(reply.body.clone()).unwrap();
        self.assert_fits(&media["schema"], &json!(text), Holding::Closed, &what);
        let lines = media["x-line-schema"].is_object().then(|| text.lines());
        for line in lines.into_iter().flatten() {
            let line = serde_json::from_str(line).unwrap();
            self.assert_fits(&media["x-line-schema"], &line, Holding::Closed, &what);
        }
    }

    /// Fails when a request that was taken is not one that the description lets a caller send.
    pub(crate) fn assert_takes(&self, method: &str, path: &str, body: &Value) {
        let content = &self.root["paths"][path][method.to_lowercase()]["requestBody"]["content"];
        let schema = &content["application/json"]["schema"];
        self.assert_fits(
            schema,
            body,
            Holding::Closed,
            &format!("{method} {path}: taken, and not described"),
        );
    }
}

/// Lets no object have a field that its schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_object = fields.get("type").is_some_and(|kind| kind == "object");
            if is_object && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}
