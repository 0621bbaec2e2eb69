// An application of PeerJS: does what it is told, and notes what PeerJS says so that a test can wait for it.
const said = [];
const awaited = [];
let peer, link, call;

function note(name, detail = null) {
  const wish = awaited.findIndex((wish) => wish.name === name);
  if (wish < 0) said.push({ name, detail });
  else awaited.splice(wish, 1)[0].resolve(detail);
}

// Bytes and their kin cannot leave the page as they are.
function plain(value) {
  if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] };
  if (ArrayBuffer.isView(value)) return { bytes: [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] };
  return value;
}

function adopt(connection) {
  link = connection;
  link.on("open", () => note("link", { peer: connection.peer, label: connection.label, metadata: connection.metadata, serialization: connection.serialization, reliable: connection.reliable }));
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
    peer = id === null ? new Peer(options) : new Peer(id, options);
    peer.on("open", (id) => note("open", id));
    peer.on("disconnected", (id) => note("disconnected", id));
    peer.on("close", () => note("close"));
    peer.on("error", (error) => note("error", { type: error.type, message: error.message }));
    peer.on("connection", adopt);
    peer.on("call", async (ringing) => {
      note("ring", { peer: ringing.peer, metadata: ringing.metadata });
      pick(ringing);
      ringing.answer(await media());
    });
  },
  connect: (id, options) => adopt(peer.connect(id, options)),
  send: (value) => link.send(value),
  sendBytes: (bytes) => link.send(new Uint8Array(bytes)),
  unlink: () => link.close(),
  channel: () => ({ ordered: link.dataChannel.ordered, lifetime: link.dataChannel.maxPacketLifeTime, retransmits: link.dataChannel.maxRetransmits }),
  async ring(id, options) { pick(peer.call(id, await media(), options)); },
  hangUp: () => call.close(),
  disconnect: () => peer.disconnect(),
  reconnect: () => peer.reconnect(),
  destroy: () => peer.destroy(),
  peers: () => new Promise((resolve) => peer.listAllPeers(resolve)),
};
