//! What an operator meets: starting, refusing to start, accounts.

use server::{Database, Place, Server, TokenCommand, UserCommand, Verdict};

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
    assert!(tokens.contains("not used yet") && !tokens.contains("logged out"), "{tokens}");
    assert!(!tokens.contains(token.trim()), "a list gives nothing away");
    assert!(nobody.to_string().contains("hullo user add dave"), "{nobody}");
    let policy = UserCommand::Policy { user: "dave".to_owned(), policy: "all".to_owned() };
    let nobody = house.user_command(policy).await.unwrap_err();
    assert!(nobody.to_string().contains("no user dave"), "{nobody}");

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
    assert!(who.text.starts_with(&start) && who.note.is_none(), "{who:?}");
    assert_eq!(kicked, "Ended the connection of carol@example.com.\n");
    carol.hear_goodbye().await;
    assert_eq!(house.metric("hullo_connections_ended_total{reason=\"kicked\"}").await, 1.0);
    let again = server::kick(&database, "carol@example.com").await.unwrap_err();
    assert!(again.to_string().contains("hullo who"), "{again}");
    let who = server::who(&database).await.unwrap();
    assert_eq!(who.text, "");
    assert!(who.note.unwrap().contains("Nobody is connected"));
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

    assert_eq!(verdict(&[free], "There are no accounts in the data").await, Verdict::Odd);
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

#[tokio::test]
async fn check_makes_nothing_and_says_whether_the_server_could() {
    let folder = tempfile::tempdir().unwrap();
    let (new, in_the_way) = (folder.path().join("a/b"), folder.path().join("file"));
    std::fs::write(&in_the_way, "").unwrap();
    let checked = async |data: &std::path::Path, part: &str| {
        let flags = [("listen", "127.0.0.1:0"), ("tls_self_signed", "true")];
        let settings = settings_of(data.to_owned(), &flags).unwrap();
        let findings = server::check(&settings, WEB).await;
        let found = findings.iter().find(|finding| finding.text.contains(part));
        found.unwrap_or_else(|| panic!("nothing of {part:?} in {findings:?}")).verdict
    };

    assert_eq!(checked(&new, "the server makes it").await, Verdict::Odd);
    assert_eq!(checked(&new, "tokens of `hullo token`").await, Verdict::Fine);
    assert_eq!(checked(&in_the_way.join("data"), "cannot be made").await, Verdict::Broken);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the file alone");
}

#[tokio::test]
async fn commands_about_what_is_there_make_no_accounts_where_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let slip = folder.path().join("haullo");
    let place = Place { data: Some(slip.clone()), ..Place::default() };
    let carol = || "carol".to_owned();
    let mut said = Vec::new();

    for command in [
        UserCommand::List,
        UserCommand::Remove { user: carol() },
        UserCommand::Policy { user: carol(), policy: "all".to_owned() },
        UserCommand::Link { user: carol(), hours: 1 },
    ] {
        said.push(command.run(&place).await.unwrap_err());
    }
    let database = Database::settle(None, &slip).unwrap();
    said.push(TokenCommand::List { user: None }.run(&database).await.unwrap_err());
    said.push(server::who(&database).await.unwrap_err());
    said.push(server::kick(&database, "carol").await.unwrap_err());

    for error in said {
        let error = error.to_string();
        assert!(error.contains("There is no data directory"), "{error}");
        assert!(error.contains("haullo") && error.contains("Give --data"), "{error}");
    }
    assert!(!slip.exists());
    UserCommand::Add { user: carol() }.run(&place).await.expect("the first command makes it");
}

#[tokio::test]
async fn a_list_with_nothing_in_it_says_so_and_what_to_do() {
    let house = House::open_as(&[]).await;

    let users = house.user_command_of_few_words(UserCommand::List).await;
    let tokens = TokenCommand::List { user: None }.run(house.database()).await.unwrap();

    for (list, part) in [(users, "hullo user add"), (tokens, "hullo token new")] {
        assert_eq!(list.text, "");
        assert!(list.note.unwrap().contains(part));
    }
}

async fn refusal(settings: server::Settings) -> String {
    match Server::start(settings, WEB).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}
