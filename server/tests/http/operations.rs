//! What an operator meets: starting, refusing to start, accounts.

use server::{Server, TokenCommand, UserCommand, Verdict};

use crate::harness::{House, WEB, settings, settings_of};

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_with_a_remedy() {
    let house = House::open().await;
    let data = tempfile::tempdir().unwrap();
    let mut second = settings(data.path().to_owned(), "/");
    second.listen = house.host.parse().unwrap();

    let error = refusal(second).await;

    assert!(error.contains("is taken by another program"), "{error}");
    assert!(error.contains("--listen 127.0.0.1:0"), "{error}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();

    let error = refusal(settings(in_the_way.join("data"), "/")).await;

    assert!(error.contains("cannot be written"), "{error}");
    assert!(error.contains("--data DIR"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_damaged_is_an_error_at_once_with_a_remedy() {
    let whole = tempfile::tempdir().unwrap();
    let server = Server::start(settings(whole.path().to_owned(), "/"), WEB).await.unwrap();
    server.run(std::future::ready(())).await.unwrap();
    let whole = std::fs::read(whole.path().join("hullo.db")).unwrap();

    for content in [&whole[..whole.len() / 2], &[0xa5; 9_000]] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hullo.db"), content).unwrap();

        let error = refusal(settings(folder.path().to_owned(), "/")).await;

        assert!(error.contains("hullo.db is damaged") && error.contains("backup"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_may_only_be_read_is_an_error_with_a_remedy() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hullo.db");
    for mode in [0o400, 0o000] {
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        if std::fs::OpenOptions::new().write(true).open(&file).is_ok() {
            return; // The superuser may write everything.
        }

        let error = refusal(settings(folder.path().to_owned(), "/")).await;

        assert!(error.contains("may not write") && error.contains("hullo.db"), "{error}");
        std::fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn a_data_directory_that_is_a_file_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hullo.db");
    std::fs::write(&file, "").unwrap();

    let error = refusal(settings(file, "/")).await;

    assert!(error.contains("hullo.db is a file, not a directory"), "{error}");
}

#[tokio::test]
async fn accounts_are_kept_while_the_server_runs() {
    let house = House::open().await;
    let user = || "Carol@Example.com".to_owned();

    house.user_command(UserCommand::Add { user: user() }).await.unwrap();
    let twice = house.user_command(UserCommand::Add { user: user() }).await.unwrap_err();
    let users = house.user_command(UserCommand::List).await.unwrap();
    let device = "Door bell".to_owned();
    let token = house
        .token_command(TokenCommand::New { user: user(), device, namespace: None })
        .await
        .unwrap();
    let tokens = house.token_command(TokenCommand::List { user: Some(user()) }).await.unwrap();
    let nobody =
        TokenCommand::New { user: "dave".to_owned(), device: String::new(), namespace: None };
    let nobody = house.token_command(nobody).await.unwrap_err();

    assert!(twice.to_string().contains("is a user already"), "{twice}");
    assert_eq!(users, "alice@example.com\t0\nbob@example.com\t0\ncarol@example.com\t0\n");
    assert_eq!(token.lines().count(), 1);
    assert!(tokens.contains("Door bell") && tokens.contains("used never"), "{tokens}");
    assert!(!tokens.contains(token.trim()), "a list gives nothing away");
    assert!(nobody.to_string().contains("hullo user add dave"), "{nobody}");

    assert_eq!(house.call(token.trim(), "GET", "/session", "").await.status, 200);
    let tokens = house.token_command(TokenCommand::List { user: None }).await.unwrap();
    assert!(!tokens.contains("used never"), "{tokens}");
}

#[tokio::test]
async fn the_operator_sees_who_is_connected_and_ends_it() {
    let house = House::open_as(&[("metrics_listen", "127.0.0.1:0")]).await;
    let database = house.database().clone();
    let token = house.token("carol@example.com").await;
    let mut carol = house.live(&token).await;

    let who = server::who(&database).await.unwrap();
    let kicked = server::kick(&database, "carol@example.com").await.unwrap();

    let start = format!("{}\tcarol@example.com\tlive\t127.0.0.1\tsince ", carol.address);
    assert!(who.starts_with(&start), "{who}");
    assert_eq!(kicked, "Ended the connection of carol@example.com.\n");
    carol.hear_goodbye().await;
    assert_eq!(house.metric("hullo_connections_ended_total{reason=\"kicked\"}").await, 1.0);
    let again = server::kick(&database, "carol@example.com").await.unwrap_err();
    assert!(again.to_string().contains("hullo who"), "{again}");
    assert_eq!(server::who(&database).await.unwrap(), "");
}

#[tokio::test]
async fn commands_without_a_server_say_so() {
    let data = House::open_as(&[]).await.shut().await;

    let database = crate::postgres::database(&data.path().join("data")).await;
    let error = server::who(&database).await.unwrap_err();

    assert!(error.to_string().contains("hullo serve"), "{error}");
}

#[tokio::test]
async fn metrics_are_the_operators_business() {
    let closed = House::open_as(&[]).await;
    let token = closed.token("carol@example.com").await;
    let open = House::open_as(&[("metrics_token", "a-token-for-metrics")]).await;

    assert_eq!(closed.call(&token, "GET", "/metrics", "").await.status, 404);
    assert_eq!(open.ask("GET", "/metrics", &[], "").await.status, 401);
    assert_eq!(open.call("another-token-of-it", "GET", "/metrics", "").await.status, 401);
    let page = open.call("a-token-for-metrics", "GET", "/metrics", "").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("hullo_http_connections 1\n"), "{}", page.text);
    assert!(page.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_server_that_stops_tells_its_sockets_to_come_back() {
    let house = House::open_as(&[]).await;
    let token = house.token("carol@example.com").await;
    let mut carol = house.live(&token).await;
    let host = house.host.clone();

    let stopped = tokio::spawn(house.shut());

    assert_eq!(carol.hear_close().await, 1001);
    stopped.await.unwrap();
    assert!(tokio::net::TcpStream::connect(host).await.is_err(), "nobody new gets in");
}

#[tokio::test]
async fn check_finds_what_would_not_work() {
    let house = House::open().await;
    let folder = tempfile::tempdir().unwrap();
    let verdict = async |flags: &[(&str, &str)], part: &str| {
        let settings = settings_of(folder.path().to_owned(), flags).unwrap();
        let findings = server::check(&settings, WEB).await;
        let found = findings.iter().find(|finding| finding.text.contains(part));
        found.unwrap_or_else(|| panic!("nothing of {part:?} in {findings:?}")).verdict
    };
    let free = ("listen", "127.0.0.1:0");

    assert_eq!(verdict(&[free], "data directory").await, Verdict::Fine);
    assert_eq!(verdict(&[free], "127.0.0.1:0 can be listened on").await, Verdict::Fine);
    assert_eq!(verdict(&[free], "The clock").await, Verdict::Fine);
    assert_eq!(verdict(&[("listen", &house.host)], "is taken").await, Verdict::Broken);
    assert_eq!(verdict(&[("listen", "0.0.0.0:0")], "There is no TLS").await, Verdict::Odd);
    let given = [free, ("tls_cert", "/nowhere.pem"), ("tls_key", "/nowhere.pem")];
    assert_eq!(verdict(&given, "cannot be read").await, Verdict::Broken);
    let gone = [free, ("session_service", "http://127.0.0.1:9/whoami")];
    assert_eq!(verdict(&gone, "The session service cannot be used").await, Verdict::Broken);
    let many = [free, ("limit_http_connections", "9999999")];
    assert_eq!(verdict(&many, "files be open").await, Verdict::Odd);
}

async fn refusal(settings: server::Settings) -> String {
    match Server::start(settings, WEB).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}
