//! The description of the interface, held against what the server answers.

use serde_json::{Map, Value, json};

use crate::harness::{Answer, House};

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

#[tokio::test]
async fn everything_described_is_there_and_wants_to_know_who_asks() {
    let house = House::open().await;
    let openapi = described(&house).await;
    assert_eq!(openapi["openapi"], "3.1.0");

    let operations = operations(&openapi);
    assert!(operations.len() > 10, "{operations:?}");
    for (path, method, operation) in operations {
        let asked = path.replace("{invite}", "000000000000001f").replace("{id}", "00000000");
        let body = if operation.get("requestBody").is_some() { "{}" } else { "" };
        let headers = [("content-type", "application/json")];
        let answer = house.ask(&method.to_uppercase(), &asked, &headers, body).await;

        conforms(&openapi, &path, &method, &answer);
        if operation.get("security").is_none() {
            assert_eq!(answer.refusal().1, "not-logged-in", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_answered_is_what_is_described() {
    let house = House::open().await;
    let openapi = described(&house).await;
    let token = house.token(ALICE).await;
    let _alice = house.live(&token).await;
    let _bob = house.live(&house.token(BOB).await).await;

    for (method, path, body) in [
        ("get", "/contacts", json!(null)),
        ("put", "/contacts", json!({ "contact": "live" })),
        ("put", "/contacts", json!({ "contact": "elsewhere" })),
        ("put", "/contacts", json!({ "contact": null })),
        ("put", "/contacts", json!({ "contact": "live" })),
        ("post", "/contacts", json!({ "to": BOB, "data": { "method": "X" } })),
        ("post", "/contacts", json!({ "to": BOB })),
        ("post", "/contacts", json!({ "to": "nobody" })),
        ("post", "/contacts", json!({ "to": 7 })),
        ("post", "/contacts/shown", json!({ "id": "000000000000001f" })),
        ("get", "/contacts/shown/000000000000001f", json!(null)),
        ("get", "/contacts/rules", json!(null)),
        ("put", "/contacts/rules", json!({ "ring": "known", "block": ["eve@example.com"] })),
        ("get", "/session", json!(null)),
        ("post", "/session", json!({ "token": token })),
        ("post", "/session", json!({ "code": "x" })),
        ("get", "/session/device", json!(null)),
        ("put", "/session/device", json!({ "capabilities": ["audio"] })),
        ("get", "/session/ways", json!(null)),
        ("post", "/session/mail", json!({ "email": ALICE })),
        ("get", "/session/devices", json!(null)),
        ("delete", "/session/devices/00000000", json!(null)),
        ("delete", "/contacts", json!(null)),
    ] {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = house.call(&token, &method.to_uppercase(), path, &text).await;
        let described = path.replace("/000000000000001f", "/{invite}");
        let described = described.replace("/00000000", "/{id}");

        conforms(&openapi, &described, method, &answer);
    }
}

#[test]
fn an_answer_that_is_not_described_is_noticed() {
    let schema = json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "type": "string", "enum": ["x"] } },
    });
    let fault = |value: Value| fault(&Value::Null, &schema, &value);

    assert_eq!(fault(json!({ "a": "x" })), None);
    assert!(fault(json!({ "a": "y" })).is_some());
    assert!(fault(json!({ "a": 1 })).is_some());
    assert!(fault(json!({})).is_some());
    assert!(fault(json!({ "a": "x", "b": 1 })).is_some());
}

async fn described(house: &House) -> Value {
    let answer = house.ask("GET", "/openapi.json", &[], "").await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

fn operations(openapi: &Value) -> Vec<(String, String, &Map<String, Value>)> {
    let paths = openapi["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(|(method, operation)| {
            (path.clone(), method.clone(), operation.as_object().expect("an operation"))
        })
    });
    operations.collect()
}

#[track_caller]
fn conforms(openapi: &Value, path: &str, method: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let response = &openapi["paths"][path][method]["responses"][status.to_string()];
    assert!(!response.is_null(), "{method} {path} answers {status}: {}", answer.text);
    let response = resolve(openapi, response);
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        let is_text = response["content"].get("text/plain").is_some();
        assert!(is_text || answer.text.is_empty(), "{method} {path}: {}", answer.text);
        return;
    }
    let fault = fault(openapi, schema, &answer.json());
    assert_eq!(fault, None, "{method} {path}: {}", answer.text);
}

fn resolve<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(path) => openapi.pointer(path.trim_start_matches('#')).expect("it is there"),
        None => value,
    }
}

/// What of JSON Schema the description uses.
fn fault(openapi: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = resolve(openapi, schema);
    let is_right = match schema["type"].as_str()? {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("the description has a type {other}"),
    };
    if !is_right {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{value} is none of {words:?}"));
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| value.get(*name).is_none()) {
        return Some(format!("{missing} is missing"));
    }
    let items = value.as_array().into_iter().flatten();
    let items = items.filter_map(|item| fault(openapi, &schema["items"], item));
    let members = value.as_object().into_iter().flatten().filter_map(|(name, member)| {
        let described = &schema["properties"][name];
        if described.is_null() {
            return (schema["additionalProperties"] == false).then(|| format!("{name} is new"));
        }
        fault(openapi, described, member)
    });
    items.chain(members).next()
}
