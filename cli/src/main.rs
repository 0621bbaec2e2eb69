//! The binary `hullo`: parse, build, run. What the commands do stands in `server` and `sim`.

mod simulate;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use server::{Flags, Place, Printout, Server, Settings, TokenCommand, UserCommand, Verdict};

/// Where settings come from.
const SOURCES: &str = "Each option is also a key of hullo.toml (base_path for --base-path) and a variable of the \
    environment (HULLO_BASE_PATH).\nLists are written with commas.";

/// Calls between people, peer to peer
#[derive(Parser)]
#[command(name = "hullo", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    #[command(after_help = SOURCES)]
    Serve(Box<Flags>),
    /// Say what would keep the server from working with these settings
    #[command(after_help = SOURCES)]
    Check(Box<Flags>),
    /// Add, list and remove users
    User {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Make, list and revoke access tokens
    Token {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// List who is connected to the running server: name, user, kind, address, since when
    Who(Place),
    /// End the connections of a user, a device or a PeerJS client; they may come back if their session is good
    Kick {
        #[command(flatten)]
        place: Place,
        /// The name that `hullo who` shows, or the user
        name: String,
    },
    /// Simulate conferences and measure them
    Sim(simulate::Flags),
}

fn main() -> ExitCode {
    share_one_arena();
    start()
}

/// The allocator of glibc keeps an arena for each thread, and the buffers of a connection's first request leave holes in
/// all of them. With one, 5,000 idle connections take 2.0 KB each and not 3.4, and let in cost a sixth less (measured).
fn share_one_arena() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "glibc has no other way but a variable of the environment")]
    // SAFETY: no other thread runs yet, and `mallopt` is told a limit and keeps no pointer.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

#[tokio::main]
async fn start() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // For people: what happened and what to do, without a stack.
            note(&format!("hullo: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Serve(flags) => serve(Settings::load(&flags)?).await,
        Command::Check(flags) => check(&Settings::load(&flags)?).await,
        Command::User { place, command } => tell(&command.run(&place).await?),
        Command::Token { place, command } => tell(&command.run(&place.database()?).await?),
        Command::Who(place) => tell(&server::who(&place.database()?).await?),
        Command::Kick { place, name } => print(&server::kick(&place.database()?, &name).await?),
        Command::Sim(flags) => flags.run(print, note),
    }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let logs = settings.start_logs()?;
    let served = run_server(settings).await;
    logs.finish().await;
    served
}

async fn run_server(settings: Settings) -> anyhow::Result<()> {
    let server = Server::start(settings, server::EMBEDDED).await?;
    let mut lines = format!("listening on {}\n", server.url());
    for (user, link) in server.logins() {
        lines.push_str(&format!("login {user} {link}\n"));
    }
    if let Some(fingerprint) = server.fingerprint() {
        lines.push_str(&format!("certificate SHA-256 {fingerprint}\n"));
    }
    print(&lines)?;
    server.run(server::stop_signal()?).await
}

async fn check(settings: &Settings) -> anyhow::Result<()> {
    let findings = server::check(settings, server::EMBEDDED).await;
    let lines = findings.iter().fold(String::new(), |mut lines, finding| {
        lines.push_str(&format!("{:<5} {}\n", finding.verdict.word(), finding.text));
        lines
    });
    print(&lines)?;
    let broken = findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count();
    anyhow::ensure!(broken == 0, "{broken} of {} things would not work", findings.len());
    Ok(())
}

fn tell(printout: &Printout) -> anyhow::Result<()> {
    if let Some(beside) = &printout.note {
        note(&format!("hullo: {beside}.\n"));
    }
    print(&printout.text)
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("Nothing can be printed")
}

/// Says something beside the results; when nobody listens, that is their choice.
fn note(text: &str) {
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}
