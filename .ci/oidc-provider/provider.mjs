// The certified `oidc-provider` as the identity provider of several tenants, each with an issuer like those of Microsoft Entra.
// Usage: node provider.mjs PORT BASE_URL FOLDER      FOLDER gets the client's private key; node_modules is in it.
import { createRequire } from 'node:module';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const [port, baseUrl, folder] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const origin = `http://localhost:${port}`;
const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
const MEMBER = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const elsewhere = 'https://sts.windows.net/99999999-9999-4999-8999-999999999999/';

// The browser names the person by `login_hint`.
const people = {
  administrator: { oid: '11111111-1111-4111-8111-111111111111', wids: [MEMBER, GLOBAL_ADMINISTRATOR], acct: 0, name: 'Quinn Approver', preferred_username: 'quinn@customer.example' },
  user: { oid: '22222222-2222-4222-8222-222222222222', wids: [MEMBER], acct: 0, name: 'Uma User' },
  guest: { oid: '33333333-3333-4333-8333-333333333333', wids: [GLOBAL_ADMINISTRATOR], acct: 1, idp: elsewhere, name: 'Gus Guest' },
  outsider: { wids: [GLOBAL_ADMINISTRATOR], idp: elsewhere, altsecid: '5::10032001', name: 'Olga Outsider' },
};

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const client = rsa();
writeFileSync(`${folder}/client.pem`, client.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

// One cloud proves its requests by a secret, the other by a key.
const clouds = {
  public: { token_endpoint_auth_method: 'client_secret_post', client_secret: 'interop-secret-of-the-public-cloud' },
  us_gov: {
    token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256',
    jwks: { keys: [{ ...client.publicKey.export({ format: 'jwk' }), use: 'sig', kid: 'client' }] },
  },
};
const tenants = {
  public: ['c0c0c0c0-0000-4000-8000-000000000001', 'd0d0d0d0-0000-4000-8000-000000000002'],
  us_gov: ['60000000-0000-4000-8000-000000000006'],
};

const provider = (cloud, tid) => {
  const kid = `${cloud}-${tid.slice(-1)}`;
  return new Provider(`${origin}/${cloud}/${tid}/v2.0`, {
    clients: [{
      client_id: `multipartner-${cloud}`, redirect_uris: [`${baseUrl}/signed-in/${cloud}`], grant_types: ['authorization_code'],
      response_types: ['code'], id_token_signed_response_alg: 'RS256', ...clouds[cloud],
    }],
    jwks: { keys: [{ ...rsa().privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomUUID()] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub', 'tid', 'oid', 'wids', 'acct', 'idp', 'altsecid', 'ver', 'auth_time'],
      profile: ['name', 'preferred_username'],
    },
    scopes: ['openid', 'profile'],
    responseTypes: ['code'],
    ttl: { AuthorizationCode: 60, AccessToken: 60, IdToken: 3600, Session: 600, Interaction: 60, Grant: 600 },
    interactions: { url: (ctx, interaction) => `/${cloud}/${tid}/v2.0/interaction/${interaction.uid}` },
    findAccount: (ctx, id) => people[id] && {
      accountId: id, claims: async () => ({ sub: id, tid, ver: '2.0', ...people[id] }),
    },
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
};

const providers = new Map();
for (const [cloud, ids] of Object.entries(tenants)) {
  for (const tid of ids) providers.set(`${cloud}/${tid}`, provider(cloud, tid));
}

const server = http.createServer(async (request, response) => {
  const [, place, rest] = /^\/((?:public|us_gov)\/[0-9a-f-]{36})\/v2\.0(\/.*)$/.exec(request.url) ?? [];
  const provider = providers.get(place);
  if (!provider) return void response.writeHead(404).end();
  request.originalUrl = request.url;
  request.url = rest;
  if (!rest.startsWith('/interaction/')) return void provider.callback()(request, response);
  try {
    const { params } = await provider.interactionDetails(request, response);
    await provider.interactionFinished(request, response, { login: { accountId: params.login_hint ?? 'administrator' } });
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(`ready at ${origin}`));
