// @ts-check
// The shim of `http.rs`: IndexedDB, WebCrypto and fetch speak in events, promises and bags of options, which take several
// times as many bytes to speak from a module.

/** @type {Promise<{ head: string, key: CryptoKey }> | undefined} */
let known;
/** By how many milliseconds the server's clock is ahead of this device's. */
let ahead = 0;
/** Proofs that lie ready, and when they were made. @type {(string | undefined)[]} */
let ready = [];
let made = 0;

/** @param {ArrayBuffer | Uint8Array} bytes */
const base64 = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");

/** @param {unknown} value */
const part = (value) => base64(new TextEncoder().encode(JSON.stringify(value)));

/** @param {IDBRequest} request */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function load() {
  const open = indexedDB.open("hullo", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("keys");
  /** @type {IDBDatabase} */
  const keys = await answer(open);
  const kept = () => answer(keys.transaction("keys").objectStore("keys").get("install"));
  let pair = await kept();
  if (!pair) {
    const fresh = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    // Another page may have been quicker: then this fails, and all use that one's.
    await answer(keys.transaction("keys", "readwrite").objectStore("keys").add(fresh, "install")).catch(() => {});
    pair = await kept();
  }
  keys.close();
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { head: part({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }), key: pair.privateKey };
}

/** A proof for one request; undefined where the browser keeps no keys. @param {string} method @param {string} url */
export async function prove(method, url) {
  try {
    const { head, key } = await (known ??= load());
    const htu = new URL(url, location.href).href.split("?")[0];
    const iat = Math.floor((Date.now() + ahead) / 1000);
    const signed = `${head}.${part({ jti: crypto.randomUUID(), htm: method, htu, iat })}`;
    const how = { name: "ECDSA", hash: "SHA-256" };
    return `${signed}.${base64(await crypto.subtle.sign(how, key, new TextEncoder().encode(signed)))}`;
  } catch {
    known = undefined;
  }
}

/** @param {string} method @param {string | undefined} body @param {string | undefined} proof */
const request = (method, body, proof) => ({
  method,
  body,
  headers: { ...(body && { "content-type": "application/json" }), ...(proof && { dpop: proof }) },
});

/** Status and body of the answer. @param {string} method @param {string} url @param {string | undefined} body JSON
 * @param {number} patience in milliseconds */
export async function ask(method, url, body, patience) {
  for (let again = false; ; again = true) {
    const init = request(method, body, await prove(method, url));
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(patience) });
    const said = await answer.text();
    if (again || answer.status !== 401 || !said.includes("proof-stale")) return [answer.status, said];
    // The clock of this device is wrong; by the server's it goes well.
    ahead = Date.parse(answer.headers.get("date") ?? "") - Date.now() || 0;
  }
}

/** Makes proofs for `post_last` beforehand. @param {string} url @param {number} many */
export async function stock(url, many) {
  ready = await Promise.all(Array.from({ length: many }, () => prove("POST", url)));
  made = Date.now();
}

/** Posts without waiting, even if the page is closed right after. @param {string} url @param {string} body JSON
 * @param {number} good how old a proof may be, in milliseconds */
export function post_last(url, body, good) {
  // Nobody is left to be told how it went.
  const post = (/** @type {string | undefined} */ proof) =>
    fetch(url, { ...request("POST", body, proof), keepalive: true }).catch(() => {});
  const proof = Date.now() - made < good ? ready.pop() : undefined;
  if (proof) post(proof);
  else prove("POST", url).then(post);
}
