//! Among very many users: whatever a request asks of PostgreSQL is found by an index.
//!
//! The tables are full and analyzed, so that the planner has the choice; what it chose is what the server counted
//! (`pg_stat_user_tables`), over every statement that the stories below brought about, background work included.

use serde_json::json;
use server::{Database, TokenCommand, UserCommand};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::harness::{House, text};
use crate::possession::Key;
use crate::push::{service, wake};

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

/// Users beside those of the story, each with a device, two relations and all that can be decided.
const MANY: i64 = 200_000;

/// How often the story is told: more often than PostgreSQL makes a plan for the values at hand.
const TIMES: usize = 8;

#[tokio::test]
async fn no_request_reads_a_table_through_and_none_reads_many_rows() {
    let service = service("201 Created").await;
    let flags = [("push_services", service.as_str()), ("presence", "listed")];
    let house = House::open_as(&flags).await;
    let Database::Postgres(url) = house.database().clone() else {
        return; // That a file is read by indexes only, its own word for it says: see the tests of the store.
    };
    let tokens = [house.token(ALICE).await, house.token(BOB).await];
    // Whatever is done once a second was done with empty tables at first.
    house.live(&tokens[0]).await.hang_up().await;
    fill(&url).await;

    let mut requests = 0;
    for _ in 0..TIMES {
        requests += story(&house, &tokens, &service).await;
    }
    house.shut().await;

    let mut rows = 0;
    for (table, through, by_index) in counted(&url).await {
        assert!(through < MANY / 10, "{table} was read through: {through} rows");
        rows += by_index;
    }
    let each = rows / i64::try_from(requests).unwrap();
    assert!((1..20).contains(&each), "{rows} rows for {requests} requests");
}

/// A day of two people; gives how many requests it took.
async fn story(house: &House, [alice, bob]: &[String; 2], service: &str) -> usize {
    let wakes = json!({ "contact": "live", "wake": wake(service) }).to_string();
    let block = json!({ "block": ["mallory@example.com"], "ring": "known" }).to_string();
    let unblock = json!({ "unblock": ["mallory@example.com"], "ring": "everybody" }).to_string();
    let invite = json!({ "to": BOB, "data": { "method": "INVITE", "ReqId": "000000000000001f" } });
    let cancel = json!({ "to": BOB, "data": { "method": "CANCEL", "ReqId": "000000000000001f" } });
    let to_nobody = json!({ "to": "user7@example.org/00000000", "data": {} });
    let listed = json!({ "shown_to": [ALICE] }).to_string();
    let [invite, cancel, to_nobody] = [invite, cancel, to_nobody].map(|value| value.to_string());
    let asked = [
        (alice, "GET", "/session", ""),
        (alice, "GET", "/contacts", ""),
        (alice, "PUT", "/contacts", r#"{"contact":"live"}"#),
        (bob, "PUT", "/contacts", &wakes),
        (bob, "PUT", "/session/presence", &listed),
        (bob, "GET", "/session/presence", ""),
        (alice, "GET", "/presence?of=bob@example.com&of=user7@example.org", ""),
        (bob, "PUT", "/session/device", r#"{"nominated":true,"capabilities":["video"]}"#),
        (bob, "GET", "/session/device", ""),
        (bob, "PUT", "/contacts/rules", &block),
        (bob, "GET", "/contacts/rules", ""),
        (bob, "PUT", "/contacts/rules", &unblock),
        (alice, "POST", "/contacts", &invite),
        (alice, "GET", "/contacts/shown/000000000000001f", ""),
        (alice, "POST", "/contacts", &cancel),
        (alice, "POST", "/contacts", &to_nobody),
        (alice, "GET", "/session/devices", ""),
    ];
    for (token, method, path, body) in asked {
        let answer = house.call(token, method, path, body).await;
        let is_found = answer.status.is_success() || path == "/contacts" && body == to_nobody;
        assert!(is_found, "{method} {path}: {}", answer.text);
    }
    house.live(bob).await.hang_up().await;

    // A device that comes by a link, binds its key, and is logged out from another.
    let link = UserCommand::Link { user: BOB.to_owned(), hours: 1 };
    let link = house.user_command(link).await.expect("he is there");
    let code = link.lines().next().and_then(|line| line.split_once("#code=")).expect("a code").1;
    let json = ("content-type", "application/json");
    let body = json!({ "code": code }).to_string();
    assert_eq!(house.ask("POST", "/session", &[json], &body).await.status, 200);
    let namespace = Some("project".to_owned());
    let new = TokenCommand::New { user: BOB.to_owned(), device: "Phone".to_owned(), namespace };
    let phone = house.token_command(new).await.expect("he is there").trim().to_owned();
    assert_eq!(Key::new().ask(house, &phone, "GET", "/session").await.status, 200);
    let devices = house.call(bob, "GET", "/session/devices", "").await.json();
    let devices: Vec<_> = devices.as_array().expect("a list").clone();
    let others = devices.iter().filter(|device| device["is_this"] == false);
    let mut requests = asked.len() + 4;
    for device in others {
        let path = format!("/session/devices/{}", text(device, "id"));
        assert_eq!(house.call(bob, "DELETE", &path, "").await.status, 204);
        requests += 1;
    }
    requests
}

/// Puts very many beside them.
async fn fill(url: &str) {
    let mut database = PgConnection::connect(url).await.expect("PostgreSQL listens");
    let far = 4_000_000_000_000_i64;
    for statement in [
        // Nobody sees the rows before the planner knows of them, and what refers to what is not checked row by row.
        "BEGIN".to_owned(),
        "SET LOCAL session_replication_role = replica".to_owned(),
        format!(
            "INSERT INTO users SELECT 'user' || n || '@example.org', n FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO tokens (hash, user_name, device, created, last_used, contact, instance, contact_expires, \
             minted_by_code, wake, bound_key, bound_at) SELECT md5(n::text) || md5((-n)::text), 'user' || n || \
             '@example.org', 'Phone', n, n, 'live', lpad(to_hex(n), 8, '0'), {far} + n, false, '{{}}', md5(n::text), n \
             FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO relations SELECT 'user' || n || '@example.org', other || n, CASE WHEN n % 5 = 0 THEN 'blocked' \
             ELSE 'known' END FROM generate_series(1, {MANY}) n, (VALUES ('a'), ('b')) others (other)"
        ),
        format!(
            "INSERT INTO ring_rules SELECT 'user' || n || '@example.org', 'known' FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO audiences SELECT 'user' || n || '@example.org', 'a' FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO device_policies SELECT 'user' || n || '@example.org', 'all' FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO device_capabilities SELECT 'user' || n || '@example.org', '00000000', 'video' FROM \
             generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO vouched_users SELECT 'vouched' || n, n FROM generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO codes SELECT md5(n::text), 'user' || n || '@example.org', n, {far} + n, 'once' FROM \
             generate_series(1, {MANY}) n"
        ),
        format!(
            "INSERT INTO revocations SELECT md5(n::text), 'user' || n || '@example.org', '', {far} - {MANY} - 8640000000 + \
             n FROM generate_series(1, 1000) n"
        ),
        "ANALYZE".to_owned(),
        "COMMIT".to_owned(),
    ] {
        let done = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut database).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Each table: the rows that were read by reading it through, and those that an index led to. Counted when whoever read
/// them has gone.
async fn counted(url: &str) -> Vec<(String, i64, i64)> {
    let mut database = PgConnection::connect(url).await.expect("PostgreSQL listens");
    let others = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND \
                  backend_type = 'client backend'";
    let gone = async {
        loop {
            let left: sqlx::Result<(i64,)> = sqlx::query_as(others).fetch_one(&mut database).await;
            if left.expect("a count").0 == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.expect("they go");
    sqlx::query_as(
        "SELECT relname::text, seq_tup_read, COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables ORDER BY relname",
    )
    .fetch_all(&mut database)
    .await
    .expect("counts")
}
