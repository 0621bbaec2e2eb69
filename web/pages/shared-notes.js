// An example: notes that everybody in a conference shares. `store` is the only thing that knows there is a network.
import { openStore } from "./{{store.js}}";

const NOTES = "shared/notes";

class SharedNotes extends HTMLElement {
  async connectedCallback() {
    const name = this.getAttribute("of");
    const list = this.querySelector("ul");
    const field = this.querySelector("input");
    const problem = this.querySelector(".problem");
    const items = new Map();
    const store = openStore(name);
    const tell = (error) => { problem.textContent = error ? error.message : ""; };

    await store.onchange(NOTES, ({ type, id, newValue }) => {
      if (id === undefined) return;
      if (type === "itemdelete") {
        items.get(id)?.remove();
        items.delete(id);
        return;
      }
      const item = items.get(id) ?? list.appendChild(document.createElement("li"));
      items.set(id, item);
      const done = document.createElement("button");
      done.type = "button";
      done.className = "button small";
      done.textContent = "Done";
      done.setAttribute("aria-label", `Done: ${newValue.text}`);
      done.addEventListener("click", () => store.delete(`${NOTES}/${id}`).then(() => tell(), tell));
      item.replaceChildren(`${newValue.text} `, done);
    });
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      store.add(NOTES, { text: field.value, by: name }).then(() => { field.value = ""; tell(); }, tell);
    });
  }
}

customElements.define("shared-notes", SharedNotes);
