// Starts an OpenID Connect provider from npm on a free port of this machine, and says where.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, clients] = [process.argv[2], JSON.parse(process.argv[3])];
const { default: Provider } = await import(pathToFileURL(`${folder}/lib/index.js`));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    // Whoever names a resource gets a signed token for it, everybody else an opaque one.
    features: {
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({ scope: "calls", audience, accessTokenFormat: "jwt" }),
      },
    },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith("new-") }),
    }),
  });
  server.on("request", provider.callback());
  console.log(`listening on ${issuer}`);
});
