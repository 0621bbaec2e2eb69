//! What an operator meets: starting, refusing to start, accounts.

use server::{Server, TokenCommand, UserCommand};

use crate::harness::{House, WEB, settings};

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
async fn accounts_are_kept_while_the_server_runs() {
    let house = House::open().await;
    let user = || "Carol@Example.com".to_owned();

    house.user_command(UserCommand::Add { user: user() }).await.unwrap();
    let twice = house.user_command(UserCommand::Add { user: user() }).await.unwrap_err();
    let users = house.user_command(UserCommand::List).await.unwrap();
    let device = "Door bell".to_owned();
    let token = house.token_command(TokenCommand::New { user: user(), device }).await.unwrap();
    let tokens = house.token_command(TokenCommand::List { user: Some(user()) }).await.unwrap();
    let nobody = TokenCommand::New { user: "dave".to_owned(), device: String::new() };
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

async fn refusal(settings: server::Settings) -> String {
    match Server::start(settings, WEB).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}
