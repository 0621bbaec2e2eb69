// Notes, in every frame of a page under test, what a test wants to know later and the page itself has no use for: its
// peer connections, and the moments of the Answer and of the first picture of somebody else.
(() => {
  if (window.hulloWitness) return;
  const now = () => performance.timeOrigin + performance.now();
  const witness = { peers: [], answered: 0, pictured: 0 };
  Object.defineProperty(window, "hulloWitness", { value: witness });

  const Peer = window.RTCPeerConnection;
  if (Peer) {
    window.RTCPeerConnection = class RTCPeerConnection extends Peer {
      constructor(...settings) {
        super(...settings);
        witness.peers.push(this);
      }
    };
  }

  addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button && button.textContent.trim() === "Answer") witness.answered = now();
  }, true);

  // One's own picture is muted, other people's are not.
  addEventListener("loadeddata", (event) => {
    const video = event.target;
    if (witness.pictured || !(video instanceof HTMLVideoElement) || video.muted) return;
    video.requestVideoFrameCallback(() => { witness.pictured ||= now(); });
  }, true);
})();
