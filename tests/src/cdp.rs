//! The DevTools protocol over one WebSocket: commands and their answers, and the pages that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::record::Record;

/// How long a browser may take to answer a command. Guess: starting a page on a loaded machine takes seconds.
const ANSWER: Duration = Duration::from_secs(15);

/// A target of the browser that we are attached to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) session: String,
    pub(crate) id: String,
    pub(crate) context: String,
    pub(crate) kind: String,
    /// Address it was opened with or went to last.
    pub(crate) url: String,
    pub(crate) record: Record,
}

/// The client. Cloned freely; the socket lives on a thread of its own.
#[derive(Clone)]
pub(crate) struct Wire {
    commands: mpsc::UnboundedSender<String>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Commands whose answers somebody waits for.
    awaited: BTreeSet<u64>,
    answers: BTreeMap<u64, Result<Value, String>>,
    targets: Vec<Target>,
    /// Commands that each new page of a context gets before it runs.
    prelude: BTreeMap<String, Vec<(String, Value)>>,
}

impl Wire {
    /// Connects to the address that the browser printed.
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let (commands, queue) = mpsc::unbounded_channel();
        let wire = Self { commands, shared: Arc::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (socket, _) = runtime
            .block_on(tokio_tungstenite::connect_async(address))
            .with_context(|| format!("cannot reach the browser at {address}"))?;
        let reader = wire.clone();
        thread::spawn(move || runtime.block_on(reader.serve(socket, queue)));
        Ok(wire)
    }

    /// Asks and waits for the answer. `session` is empty for the browser itself.
    pub(crate) fn call(&self, session: &str, method: &str, params: Value) -> Result<Value> {
        let id = self.post(session, method, params);
        let end = Instant::now() + ANSWER;
        let mut state = self.state();
        loop {
            if let Some(answer) = state.answers.remove(&id) {
                return answer.map_err(|error| anyhow!("{method}: {error}"));
            }
            if !session.is_empty() && !state.targets.iter().any(|target| target.session == session)
            {
                bail!("{method}: the tab is closed");
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                bail!("{method}: no answer in {ANSWER:?}");
            };
            state = self
                .shared
                .answered
                .wait_timeout(state, left)
                .expect("no holder of the lock panics")
                .0;
        }
    }

    /// Asks without waiting for an answer, where none may come.
    pub(crate) fn tell(&self, session: &str, method: &str, params: Value) {
        let mut state = self.state();
        self.send(&mut state, session, method, params);
    }

    /// Sets what every new page of a context is told before its first script runs.
    pub(crate) fn set_prelude(&self, context: &str, commands: Vec<(String, Value)>) {
        self.state().prelude.insert(context.to_owned(), commands);
    }

    /// The pages of a context, oldest first.
    pub(crate) fn pages(&self, context: &str) -> Vec<Target> {
        self.targets(context, "page")
    }

    /// The targets of a kind in a context, oldest first.
    pub(crate) fn targets(&self, context: &str, kind: &str) -> Vec<Target> {
        let state = self.state();
        let wanted = |target: &&Target| target.context == context && target.kind == kind;
        state.targets.iter().filter(wanted).cloned().collect()
    }

    /// What a page has said and asked for so far.
    pub(crate) fn record(&self, session: &str) -> Record {
        let state = self.state();
        state
            .targets
            .iter()
            .find(|target| target.session == session)
            .map(|found| found.record.clone())
            .unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no holder of the lock panics")
    }

    /// Sends a command whose answer will be asked for.
    fn post(&self, session: &str, method: &str, params: Value) -> u64 {
        let mut state = self.state();
        let id = self.send(&mut state, session, method, params);
        state.awaited.insert(id);
        id
    }

    fn send(&self, state: &mut State, session: &str, method: &str, params: Value) -> u64 {
        state.next += 1;
        let mut command = json!({ "id": state.next, "method": method, "params": params });
        if !session.is_empty() {
            command["sessionId"] = session.into();
        }
        // A closed queue means that the browser has gone: then the answer is missed, and that is said.
        self.commands.send(command.to_string()).ok();
        state.next
    }

    async fn serve<S>(self, socket: S, mut queue: mpsc::UnboundedReceiver<String>)
    where
        S: futures_util::Sink<Message>
            + futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>>,
    {
        let (mut sink, mut stream) = socket.split();
        loop {
            tokio::select! {
                command = queue.recv() => {
                    let Some(command) = command else { return };
                    if sink.send(Message::text(command)).await.is_err() { return }
                }
                frame = stream.next() => match frame {
                    Some(Ok(Message::Text(text))) => self.on_frame(&text),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    fn on_frame(&self, text: &str) {
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return };
        if let Some(id) = frame["id"].as_u64() {
            let answer = match frame["error"]["message"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(frame["result"].take()),
            };
            let mut state = self.state();
            // Nobody waits for those of the prelude, whose page may have gone meanwhile.
            if state.awaited.remove(&id) {
                state.answers.insert(id, answer);
                self.shared.answered.notify_all();
            }
            return;
        }
        let method = frame["method"].as_str().unwrap_or_default();
        let session = frame["sessionId"].as_str().unwrap_or_default();
        self.on_event(session, method, &frame["params"]);
    }

    fn on_event(&self, session: &str, method: &str, params: &Value) {
        match method {
            "Target.attachedToTarget" => self.on_attached(params),
            "Target.detachedFromTarget" => {
                let gone = |target: &Target| params["sessionId"] == target.session.as_str();
                self.state().targets.retain(|target| !gone(target));
                self.shared.answered.notify_all();
            }
            // "Do you really want to leave?": yes.
            "Page.javascriptDialogOpening" => {
                let mut state = self.state();
                self.send(
                    &mut state,
                    session,
                    "Page.handleJavaScriptDialog",
                    json!({ "accept": true }),
                );
            }
            "Target.targetInfoChanged" => {
                let info = &params["targetInfo"];
                let mut state = self.state();
                for target in
                    state.targets.iter_mut().filter(|target| info["targetId"] == target.id.as_str())
                {
                    target.url = info["url"].as_str().unwrap_or_default().to_owned();
                }
            }
            "Target.targetCrashed" => {
                let mut state = self.state();
                let crashed = params["targetId"].as_str().unwrap_or_default();
                for target in state.targets.iter_mut().filter(|target| target.id == crashed) {
                    target.record.complaints.push("crashed".to_owned());
                }
            }
            _ => {
                let mut state = self.state();
                if let Some(target) =
                    state.targets.iter_mut().find(|target| target.session == session)
                {
                    target.record.note(method, params);
                }
            }
        }
    }

    /// A new target waits for us: tell it what its context prescribes, then let it run.
    fn on_attached(&self, params: &Value) {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let info = &params["targetInfo"];
        let target = Target {
            session: word(&params["sessionId"]),
            id: word(&info["targetId"]),
            context: word(&info["browserContextId"]),
            kind: word(&info["type"]),
            url: word(&info["url"]),
            record: Record::default(),
        };
        let mut state = self.state();
        if target.kind == "service_worker" {
            self.send(&mut state, &target.session, "Runtime.enable", json!({}));
        }
        let prelude = state.prelude.get(&target.context).filter(|_| target.kind == "page");
        for (method, params) in prelude.cloned().unwrap_or_default() {
            self.send(&mut state, &target.session, &method, params);
        }
        self.send(&mut state, &target.session, "Runtime.runIfWaitingForDebugger", json!({}));
        state.targets.push(target);
    }
}
