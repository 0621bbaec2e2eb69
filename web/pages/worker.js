// @ts-check
/// <reference lib="webworker" />
// The service worker's shim: a browser wants the listeners at once, so they wait here for the module that answers.
import init, { click, push, renew } from "./{{worker-glue.js}}";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const ready = init({ module_or_path: new URL("{{worker.wasm}}", worker.location.href) });

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => {
  const text = event.data?.text() ?? "";
  event.waitUntil(ready.then(() => push(text)));
});
worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(ready.then(() => renew())));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(ready.then(() => click(event.action, String(event.notification.data))));
});
