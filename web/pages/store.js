// The shared store of a conference, as an application asks for it. Types: store.d.ts. Words: docs/storage.md.
/** What is told about an item, to who listens at its list. */
const ITEM = { load: "itemload", create: "itemcreate", update: "itemupdate", delete: "itemdelete" };

/** Why a request was refused: `code` is for programs, `message` says what to do. */
export class StoreError extends Error {
  /** @param {Record<"code" | "message", string>} refusal */
  constructor({ code, message }) {
    super(message);
    this.name = "StoreError";
    this.code = code;
  }
}

/** One participant's copy of the store. Events: `ready`, `close`, `refused`, `undelivered`. */
export class Store extends EventTarget {
  ready = false;
  closed = false;
  #port; #number = 0; #asked = new Map(); #ears = new Map(); #kept = [];

  /** @param {MessagePort} port */
  constructor(port) {
    super();
    this.#port = port;
    port.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#ask("who", {}).then(({ ready }) => ready && this.#say("ready"), () => {});
  }

  create(path, value, options) { return this.#ask("create", { ...options, path, value }); }
  read(path) { return this.#ask("read", { path }); }
  update(path, value, options) { return this.#ask("update", { ...options, path, value }); }
  delete(path) { return this.#ask("delete", { path }); }
  add(path, value, options) { return this.#ask("add", { ...options, path, value }); }
  list(path, options) { return this.#ask("list", { ...options, path }); }
  getall(path, options) {
    const at = { keys: 0, values: 1 }[options?.item];
    return this.list(path, options).then((pairs) => at === undefined ? pairs : pairs.map((pair) => pair[at]));
  }
  removeall(path) { return this.#ask("removeall", { path }); }
  notify(path, data, options) { return this.#ask("notify", { ...options, path, data }); }

  /** Tells what is at `path` and below, and then each change; gives a function that ends it. */
  subscribe(path, hear) {
    const subscription = this.#number + 1;
    this.#ears.set(subscription, hear);
    const end = () => this.#ears.delete(subscription) && this.#ask("unsubscribe", { subscription });
    return this.#ask("subscribe", { path }).then(() => end, (error) => { end(); throw error; });
  }
  /** As `subscribe`, one event for each resource: for the one at `path`, and for items directly below it. */
  onchange(path, hear) {
    const tell = ({ type, path: place, ...rest }) => {
      if (place === path) return hear({ type, path, ...rest });
      const id = place.slice(path.length + 1);
      if (!id.includes("/")) hear({ type: ITEM[type], path, id, ...rest });
    };
    return this.#keep(path, hear, (event) => {
      if (event.type === "load") event.resources.forEach(({ value, ...rest }) => tell({ type: "load", newValue: value, ...rest }));
      else if (event.type !== "notify") tell(event);
    });
  }
  onnotify(path, hear) {
    return this.#keep(path, hear, (event) => event.type === "notify" && event.path === path && hear(event));
  }
  offchange(path, hear) {
    const at = this.#kept.findIndex((kept) => kept.path === path && kept.hear === hear);
    return Promise.resolve(at >= 0 && this.#kept.splice(at, 1)[0].end());
  }
  offnotify(path, hear) { return this.offchange(path, hear); }

  /** Ends all subscriptions. The participant stays. */
  close() { this.#port.postMessage("close"); this.#say("close", { reason: "The store was closed. Open it again." }); }

  async #keep(path, hear, ear) { this.#kept.push({ path, hear, end: await this.subscribe(path, ear) }); }
  #ask(word, request) {
    if (this.closed) return Promise.reject(new StoreError({ code: "closed", message: this.closed }));
    const id = ++this.#number;
    this.#port.postMessage(JSON.stringify({ ...request, id, do: word }));
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }
  #hear({ on, to, ...told }) {
    if (to) return to.forEach((subscription) => this.#ears.get(subscription)?.({ ...told }));
    if (on) return this.#say(on, told);
    this.#asked.get(told.id)?.[told.error ? "reject" : "resolve"](told.error ? new StoreError(told.error) : told.ok);
    this.#asked.delete(told.id);
  }
  #say(on, detail) {
    if (on === "ready") this.ready = true;
    if (on === "close") this.closed ||= detail.reason ?? "The participant has left. Open the store of another.";
    if (this.closed) this.#asked.forEach(({ reject }) => reject(new StoreError({ code: "closed", message: this.closed })));
    this.dispatchEvent(new CustomEvent(on, { detail }));
  }
}

/** Opens the store of the participant called `of` in the emulator that runs in `at`: this page, or the one around it. */
export function openStore(of, at = window) {
  const { port1, port2 } = new MessageChannel();
  at.postMessage({ hullo: "store", of }, location.origin, [port2]);
  return new Store(port1);
}
