// Starts a mail server from npm on a free port of this machine, and says where. What arrives is asked for over HTTP.
// It has no mailbox for a name that begins with "nobody".
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

// "plain", "tls" from the start, or "starttls" on wish; for the latter two the files of a key and a certificate.
const [folder, user, password, way, key, cert] = process.argv.slice(2);
const { SMTPServer } = createRequire(import.meta.url)(folder);

const mails = [];
const waiting = [];
const hand = () => {
  while (mails.length > 0 && waiting.length > 0) {
    waiting.shift().end(JSON.stringify(mails.shift()));
  }
};

const smtp = new SMTPServer({
  secure: way === "tls",
  allowInsecureAuth: way === "plain",
  disabledCommands: way === "starttls" ? [] : ["STARTTLS"],
  ...(key && { key: readFileSync(key), cert: readFileSync(cert) }),
  onAuth: (auth, _, done) => {
    const isKnown = auth.username === user && auth.password === password;
    done(isKnown ? null : new Error("535 unknown"), { user });
  },
  onRcptTo: ({ address }, _, done) => {
    const name = address.split("@")[0];
    const refusal = Object.assign(new Error(`5.1.1 <${address}>: there is no ${name} here`), { responseCode: 550 });
    done(name.startsWith("nobody") ? refusal : null);
  },
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const to = session.envelope.rcptTo.map((one) => one.address);
      mails.push({ from: session.envelope.mailFrom.address, to, text: Buffer.concat(chunks).toString(), encrypted: session.secure });
      hand();
      done();
    });
  },
});
const http = createServer((_, answer) => {
  waiting.push(answer);
  hand();
});
// Whoever hangs up because of the certificate ends their connection, not this server.
smtp.on("error", () => {});
smtp.listen(0, "127.0.0.1", () => {
  http.listen(0, "127.0.0.1", () => {
    console.log(`listening on ${smtp.server.address().port} ${http.address().port}`);
  });
});
