// The browser as PeerJS 0.3.14 knew it: a prefixed constructor, and `url` where it is `urls` now.
{
  const Today = window.RTCPeerConnection;
  const modern = ({ url, urls = url, ...rest }) => ({ urls, ...rest });
  window.RTCPeerConnection = window.webkitRTCPeerConnection = class RTCPeerConnection extends Today {
    constructor(config, ...rest) {
      super({ ...config, iceServers: (config?.iceServers ?? []).map(modern) }, ...rest);
    }
  };
}
