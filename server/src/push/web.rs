//! Standard Web Push: one sealed, signed POST to the push service of the browser (RFC 8030).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use sha2::{Digest, Sha256};

use super::guard::{Guard, Lookup, Outside};
use super::seal::{Recipient, seal};
use super::vapid::Vapid;
use super::{Outcome, Push};

/// How long a push service may take. Guess: they answer within a second; the ring lasts 45.
const PATIENCE: Duration = Duration::from_secs(8);

/// Sends pushes to the services of browsers.
pub(crate) struct WebPush {
    vapid: Vapid,
    guard: Guard,
    /// For the known services: only addresses on the Internet.
    outside: Client,
    /// For those that the operator named.
    named: Client,
}

impl WebPush {
    /// Sends signed by `vapid` to whom `guard` lets, at addresses that `lookup` finds.
    pub(crate) fn new(vapid: Vapid, guard: Guard, lookup: Lookup) -> anyhow::Result<Self> {
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(PATIENCE)
                .pool_max_idle_per_host(4)
        };
        let outside = client().https_only(true).dns_resolver(Arc::new(Outside(lookup)));
        let outside = outside.build().context("The client for push services cannot be made")?;
        let named = client().build().context("The client for push services cannot be made")?;
        Ok(Self { vapid, guard, outside, named })
    }

    pub(crate) fn vapid(&self) -> &Vapid {
        &self.vapid
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends once.
    pub(crate) async fn send(
        &self,
        endpoint: &Url,
        recipient: &Recipient,
        push: &Push<'_>,
    ) -> anyhow::Result<Outcome> {
        // The rules may have changed since the contact was stored.
        if self.guard.check(endpoint.as_str()).is_err() {
            return Ok(Outcome::Gone);
        }
        let body = match seal(recipient, push.text.as_bytes()) {
            Ok(body) => body,
            Err(super::seal::Error::Key) => return Ok(Outcome::Gone),
            Err(error) => return Err(error.into()),
        };
        let origin = endpoint.origin().ascii_serialization();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let client = if self.guard.is_named(endpoint) { &self.named } else { &self.outside };
        let mut request = client
            .post(endpoint.clone())
            .header(AUTHORIZATION, self.vapid.authorization(&origin, now)?)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("TTL", push.left.as_secs().max(1))
            .header("Urgency", if push.is_urgent { "high" } else { "normal" })
            .body(body);
        if let Some(topic) = push.topic {
            request = request.header("Topic", short_topic(topic));
        }
        // Without the address: whoever has it can address the device.
        let answer = request.send().await.map_err(reqwest::Error::without_url);
        let answer =
            answer.with_context(|| format!("The push service {origin} cannot be reached"))?;
        Ok(outcome(&answer))
    }
}

/// At most 32 characters of URL-safe base64 (RFC 8030 §5.4), the same for the same topic.
fn short_topic(topic: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(topic.as_bytes())[..24])
}

fn outcome(answer: &Response) -> Outcome {
    match answer.status() {
        status if status.is_success() => Outcome::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS => Outcome::Later(retry_after(answer.headers())),
        status if status.is_server_error() => Outcome::Later(retry_after(answer.headers())),
        _ => Outcome::Refused,
    }
}

/// Seconds only: a date is no use to whoever rings for less than a minute.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::dns::Resolve as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::push::seal::{AUTH_BYTES, POINT_BYTES};

    /// A name of a push service; whoever owns it says where it is.
    const NAME: &str = "updates.push.services.mozilla.com";
    /// Mozilla's service is in such a place. Nobody connects there in this test.
    const OUTSIDE: &str = "34.107.243.93";

    #[tokio::test]
    async fn a_name_that_moves_inside_after_it_was_looked_at_is_not_connected_to() {
        let trap = Trap::set().await;
        for inside in ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "::1", "10.0.0.1"] {
            // Where it is a moment later the listener waits, on every address that is ours.
            let answers = [vec![at(OUTSIDE, trap.port)], vec![at(inside, trap.port)]];
            let (lookup, asked) = script(answers);

            let first = Outside(lookup.clone()).resolve(NAME.parse().unwrap()).await.unwrap();
            assert_eq!(first.collect::<Vec<_>>(), [at(OUTSIDE, trap.port)], "it looks well");
            let error = send(lookup).await.unwrap_err();

            assert!(format!("{error:#}").contains("no address on the Internet"), "{error:#}");
            assert_eq!(asked.load(Ordering::SeqCst), 2, "it was asked again to connect");
        }
        assert_eq!(trap.count(), 0);
    }

    #[tokio::test]
    async fn of_a_name_that_is_outside_and_inside_only_the_outside_counts() {
        let both = vec![at("127.0.0.1", 443), at(OUTSIDE, 443), at("169.254.169.254", 443)];
        let (lookup, _) = script([both]);

        let found = Outside(lookup).resolve(NAME.parse().unwrap()).await.unwrap();

        assert_eq!(found.collect::<Vec<_>>(), [at(OUTSIDE, 443)]);
    }

    #[tokio::test]
    async fn the_listener_of_these_tests_would_notice() {
        let trap = Trap::set().await;
        let client = Client::builder().no_proxy();
        let client = client.resolve(NAME, at("127.0.0.1", trap.port)).build().unwrap();

        assert!(client.post(format!("https://{NAME}/x")).send().await.is_err());

        assert_eq!(trap.count(), 1);
    }

    async fn send(lookup: Lookup) -> anyhow::Result<Outcome> {
        let vapid = Vapid::new(&Vapid::fresh()?, None)?;
        let web = WebPush::new(vapid, Guard::default(), lookup)?;
        // The generator of the curve: a point that is on it.
        let point: [u8; POINT_BYTES] =
            hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let recipient = Recipient { key: point, auth: [7; AUTH_BYTES] };
        let push = Push { text: "{}", left: Duration::from_secs(45), is_urgent: true, topic: None };
        web.send(&format!("https://{NAME}/wpush/v2/x").parse()?, &recipient, &push).await
    }

    /// Each answer once, the last one again and again; and how often it was asked.
    fn script<const N: usize>(answers: [Vec<SocketAddr>; N]) -> (Lookup, Arc<AtomicUsize>) {
        let asked: Arc<AtomicUsize> = Arc::default();
        let (counted, answers) = (asked.clone(), Mutex::new(answers.into_iter().peekable()));
        let lookup: Lookup = Arc::new(move |name| {
            assert_eq!(name, NAME);
            counted.fetch_add(1, Ordering::SeqCst);
            let mut answers = answers.lock().unwrap();
            let answer = answers.next().expect("nobody asks so often");
            Box::pin(std::future::ready(Ok(answer)))
        });
        (lookup, asked)
    }

    fn at(address: &str, port: u16) -> SocketAddr {
        SocketAddr::new(address.parse().expect("an address"), port)
    }

    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        let byte = |at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits");
        std::array::from_fn(byte)
    }

    /// A listener that counts who connects.
    struct Trap {
        port: u16,
        caught: Arc<AtomicUsize>,
    }

    impl Trap {
        async fn set() -> Self {
            // Both families, so that every address inside that is this machine's leads here.
            let listener = TcpListener::bind("[::]:0").await.expect("there is a free port");
            let port = listener.local_addr().expect("it is bound").port();
            let caught: Arc<AtomicUsize> = Arc::default();
            let counted = caught.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    counted.fetch_add(1, Ordering::SeqCst);
                    drop(stream);
                }
            });
            Self { port, caught }
        }

        fn count(&self) -> usize {
            self.caught.load(Ordering::SeqCst)
        }
    }
}
