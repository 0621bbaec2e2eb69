// Starts a mail server from npm on a free port of this machine, and says where. What arrives is asked for over HTTP.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [folder, user, password] = process.argv.slice(2);
const { SMTPServer } = createRequire(import.meta.url)(folder);

const mails = [];
const waiting = [];
const hand = () => {
  while (mails.length > 0 && waiting.length > 0) {
    waiting.shift().end(JSON.stringify(mails.shift()));
  }
};

const smtp = new SMTPServer({
  allowInsecureAuth: true,
  disabledCommands: ["STARTTLS"],
  onAuth: (auth, _, done) => {
    const isKnown = auth.username === user && auth.password === password;
    done(isKnown ? null : new Error("535 unknown"), { user });
  },
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const to = session.envelope.rcptTo.map((one) => one.address);
      mails.push({ from: session.envelope.mailFrom.address, to, text: Buffer.concat(chunks).toString() });
      hand();
      done();
    });
  },
});
const http = createServer((_, answer) => {
  waiting.push(answer);
  hand();
});
smtp.listen(0, "127.0.0.1", () => {
  http.listen(0, "127.0.0.1", () => {
    console.log(`listening on ${smtp.server.address().port} ${http.address().port}`);
  });
});
