// An application of PeerJS: does what it is told, and notes what PeerJS says so that a test can wait for it.
const said = [];
const awaited = [];
let peer, link, call, waits = false;

function note(name, detail = null) {
  const wish = awaited.findIndex((wish) => wish.name === name);
  if (wish < 0) said.push({ name, detail });
  else awaited.splice(wish, 1)[0].resolve(detail);
}

// Bytes and their kin cannot leave the page as they are.
function plain(value) {
  if (value instanceof ArrayBuffer) return { ArrayBuffer: [...new Uint8Array(value)] };
  if (ArrayBuffer.isView(value)) return { [value.constructor.name]: [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] };
  if (value instanceof Date) return { Date: value.toJSON() };
  return value;
}

function adopt(connection) {
  link = connection;
  // Once: a browser was seen to open one and the same channel twice. A link that a server doubled is another object.
  link.once("open", () => note("link", { peer: connection.peer, label: connection.label, metadata: connection.metadata, serialization: connection.serialization, reliable: connection.reliable }));
  link.on("data", (data) => note("data", plain(data)));
  link.on("close", () => note("unlink", connection.peer));
  link.on("error", (error) => note("link-error", error.type));
}

function pick(ringing) {
  call = ringing;
  call.on("stream", async (stream) => {
    const video = document.body.appendChild(document.createElement("video"));
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    // The first picture that really arrived.
    video.requestVideoFrameCallback(() => note("picture", { peer: ringing.peer, tracks: stream.getTracks().map((track) => track.kind).sort() }));
  });
  // Before this, a new PeerJS cannot tell the other side that it hangs up.
  call.on("willCloseOnRemote", () => note("settled", ringing.peer));
  call.on("close", () => note("hung-up", ringing.peer));
}

const media = () => navigator.mediaDevices.getUserMedia({ audio: true, video: true });

const client = {
  // Waits for PeerJS to say something. Other words said meanwhile stay for who waits for them.
  hears(name) {
    const at = said.findIndex((word) => word.name === name);
    if (at >= 0) return said.splice(at, 1)[0].detail;
    return new Promise((resolve) => awaited.push({ name, resolve }));
  },
  unheard: () => said.map((word) => word.name),
  enter(id, options) {
    // Which PeerJS has in a file of its own; the page of the old one has none.
    if (window.MsgPack) options.serializers = { MsgPack };
    peer = id === null ? new Peer(options) : new Peer(id, options);
    peer.on("open", (id) => note("open", id));
    peer.on("disconnected", (id) => note("disconnected", id));
    peer.on("close", () => note("close"));
    peer.on("error", (error) => note("error", { type: error.type, message: error.message }));
    peer.on("connection", adopt);
    peer.on("call", async (ringing) => {
      note("ring", { peer: ringing.peer, metadata: ringing.metadata });
      pick(ringing);
      if (!waits) ringing.answer(await media());
    });
  },
  connect: (id, options) => adopt(peer.connect(id, options)),
  send: (value) => link.send(value),
  plain,
  unlink: () => link.close(),
  channel: () => ({ ordered: link.dataChannel.ordered, lifetime: link.dataChannel.maxPacketLifeTime, retransmits: link.dataChannel.maxRetransmits }),
  async ring(id, options) { pick(peer.call(id, await media(), options)); },
  letRing() { waits = true; },
  isConnecting: () => Boolean(call.peerConnection),
  async answer() { call.answer(await media()); },
  hangUp: () => call.close(),
  // A word to the server that PeerJS does not know, and what the server says that it does not know.
  say: (word) => peer.socket.send(word),
  overhear() { peer.socket.on("message", (word) => { if (word.type === "PRESENCE") note("presence", word); }); },
  disconnect: () => peer.disconnect(),
  reconnect: () => peer.reconnect(),
  destroy: () => peer.destroy(),
  peers: () => new Promise((resolve) => peer.listAllPeers(resolve)),
};
