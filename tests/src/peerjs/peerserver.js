// Starts a PeerServer from npm on a free port of this machine, with the options given as JSON, and says where.
const [folder, options] = [process.argv[2], JSON.parse(process.argv[3])];
const { ExpressPeerServer } = require(folder);
const express = require(require.resolve("express", { paths: [folder] }));

const app = express();
const server = require("node:http").createServer(app);
const { path, ...rest } = options;
const peers = ExpressPeerServer(server, rest);
// As its own command line does; without it, the first bad frame would end the process.
process.on("uncaughtException", (error) => console.error(String(error)));
app.use(path, peers);
server.listen(0, "127.0.0.1", 4096, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
