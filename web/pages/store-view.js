// The inspector of the emulator: an element that shows a participant's store and writes to it, by store.js alone.
import { openStore } from "./{{store.js}}";

/** The lists of a conference; `links` is the network's own. */
const ROOTS = ["users", "members", "messages", "streams", "shared"];

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

class StoreView extends HTMLElement {
  #store;
  #rows = new Map();

  connectedCallback() {
    this.#store = openStore(this.getAttribute("of"));
    this.body = make("tbody");
    this.answer = make("p", { class: "answer quiet", role: "status" });
    const head = make("tr", {}, ...["Path", "Value"].map((name) => make("th", { scope: "col" }, name)));
    const table = make("table", { class: "rows" }, make("thead", {}, head), this.body);
    const region = { class: "scroll", role: "region", tabindex: "0", "aria-label": "Resources" };
    this.replaceChildren(this.#form(), this.answer, make("div", region, table));
    this.#store.addEventListener("close", ({ detail }) => this.#say(detail.reason ?? "The participant has left."));
    this.#store.addEventListener("refused", ({ detail }) => {
      this.#say(`Another participant created ${detail.path} at the same time, and its value stands.`);
    });
    for (const root of ROOTS) this.#store.subscribe(root, (event) => this.#hear(event)).catch(() => {});
  }

  disconnectedCallback() {
    this.#store.close();
  }

  #form() {
    const path = make("input", { type: "text", "aria-label": "Path", value: "shared/notes/1", spellcheck: "false" });
    const value = make("input", { type: "text", "aria-label": "Value", value: '{"text": "hello"}', spellcheck: "false" });
    const deeds = {
      Create: () => this.#store.create(path.value, JSON.parse(value.value)),
      Update: () => this.#store.update(path.value, JSON.parse(value.value), { partial: true }),
      Add: () => this.#store.add(path.value, JSON.parse(value.value)),
      Delete: () => this.#store.delete(path.value),
    };
    const button = ([name, deed]) => {
      const button = make("button", { type: "button", class: "button small" }, name);
      button.addEventListener("click", () => this.#try(name, path.value, deed));
      return button;
    };
    this.addEventListener("click", ({ target }) => {
      const row = target.closest("tbody tr");
      if (row) [path.value, value.value] = [row.cells[0].textContent, row.cells[1].textContent];
    });
    const buttons = make("div", { class: "row" }, ...Object.entries(deeds).map(button));
    return make("form", { class: "stack" }, path, value, buttons);
  }

  async #try(name, path, deed) {
    try {
      const added = await deed();
      this.#say(`${name} ${path}${added ? `/${added}` : ""}: done.`);
    } catch (error) {
      this.#say(error instanceof SyntaxError ? `The value is no JSON: ${error.message}` : error.message);
    }
  }

  #say(text) {
    this.answer.textContent = text;
  }

  #hear(event) {
    if (event.type === "load") event.resources.forEach(({ path, value }) => this.#put(path, value));
    else if (event.type === "delete") this.#take(event.path);
    else if (event.type !== "notify") this.#put(event.path, event.newValue);
  }

  #put(path, value) {
    this.#take(path);
    const row = make("tr", {}, make("th", { scope: "row" }, path), make("td", {}, JSON.stringify(value)));
    const after = [...this.#rows.keys()].filter((other) => other > path).sort()[0];
    this.body.insertBefore(row, this.#rows.get(after) ?? null);
    this.#rows.set(path, row);
  }

  #take(path) {
    this.#rows.get(path)?.remove();
    this.#rows.delete(path);
  }
}

customElements.define("store-view", StoreView);
