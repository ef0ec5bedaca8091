// Create, accept and register with the AWS SDK for JavaScript v3, as a function for Node.js is usually written: one bundled file, a
// client that is made when the module is loaded, and one handler. It writes the items of Multipartner under the same conditions. It
// leaves out what only Multipartner has: the state digests that its audit compares, and delegated administration.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  AttributeValue, DynamoDBClient, GetItemCommand, TransactionCanceledException, TransactWriteItem, TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { run } from "./runtime";

type Item = Record<string, AttributeValue>;
type Refused = { failed: boolean; item?: Item }[];

const TABLE = process.env.TABLE_NAME!;
const [POLICY, INVITATIONS_PER_DAY, DAYS, DAY_MS, CACHE_MS] = [2, 5, 30, 86_400_000, 30_000];
const WRITERS = ["global_admin", "user_management_admin", "sales_agent"];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const table = new DynamoDBClient({});
const cache = new Map<string, { at: number; item: Item }>();

class Problem extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(code);
  }
}

const S = (text: string): AttributeValue => ({ S: text });
const N = (number: number): AttributeValue => ({ N: String(number) });
const B = (data: Uint8Array): AttributeValue => ({ B: data });
const zeros = new Uint8Array(32);

function digest(label: string, ...parts: (string | Uint8Array)[]): Buffer {
  const sha = createHash("sha256");
  for (const part of [label, ...parts]) {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    sha.update(length).update(bytes);
  }
  return sha.digest();
}

const mac = (key: Uint8Array, data: string | Uint8Array) => createHmac("sha256", key).update(data).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest();
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b);

function tail(data: Uint8Array): string {
  let [bits, value, text] = [0, 0, ""];
  for (const byte of data.subarray(0, 16)) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += "abcdefghijklmnopqrstuvwxyz234567"[(value >> bits) & 31];
    }
  }
  return text + "abcdefghijklmnopqrstuvwxyz234567"[(value << (5 - bits)) & 31];
}

const shard = (family: string, label: string, ...parts: string[]) => `${family}#${digest(label, ...parts)[0] % 32}`;
const text = (ms: number) => String(ms).padStart(13, "0");
const iso = (ms: number) => new Date(ms).toISOString();

const LINK_KEY = mac(mac(zeros, digest("master key", process.env.MASTER_KEY_1!)), "invitation link\x01");
const linkToken = (invitation: string) =>
  mac(LINK_KEY, digest("invitation link", invitation, Uint8Array.of(0, 0, 0, 1))).toString("base64url");

async function get(pk: string, sk: string): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName: TABLE, Key: { pk: S(pk), sk: S(sk) }, ConsistentRead: true });
  return (await table.send(command)).Item;
}

async function cached(pk: string, sk: string, now: number): Promise<Item | undefined> {
  const known = cache.get(pk);
  if (known && now - known.at < CACHE_MS) return known.item;
  const item = await get(pk, sk);
  if (item) cache.set(pk, { at: now, item });
  return item;
}

async function activePartner(partner: string, now: number): Promise<Item> {
  const item = await cached(`PARTNER#${partner}`, "PARTNER", now);
  if (!item) throw new Problem(404, "not_found");
  if (item.status.S !== "active") throw new Problem(403, "partner_not_active");
  return item;
}

/** The partner in the path, by its key, and the actor of events. */
async function callingPartner(event: any, now: number): Promise<{ partner: Item; actor: string }> {
  const [scheme, key] = (event.headers.authorization ?? "").split(" ", 2);
  if (scheme.toLowerCase() !== "bearer") throw new Problem(401, "token_missing");
  const hash = sha256(key ?? "");
  const keyId = `key_${tail(hash)}`;
  const item = await cached(`KEY#${keyId}`, "KEY", now);
  if (!item || !same(item.key_hash.B!, hash)) throw new Problem(401, "key_invalid");
  if (item.revoked_at || Number(item.expires_at?.N ?? now + 1) <= now) throw new Problem(401, "key_invalid");
  const id = event.pathParameters.partner_id;
  if (item.principal.S !== "partner" || item.principal_id.S !== id) throw new Problem(404, "not_found");
  const roles = item.key_roles.L!.map((role) => role.S);
  const role = WRITERS.find((role) => roles.includes(role));
  if (!role) throw new Problem(403, "role_not_permitted");
  return { partner: await activePartner(id, now), actor: `partner#${id}#${role}##${keyId}#key` };
}

const guarded = (condition: string, values?: Item, names?: Record<string, string>) => ({
  TableName: TABLE,
  ConditionExpression: condition,
  ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  ExpressionAttributeValues: values,
  ExpressionAttributeNames: names,
});
const put = (item: Item): TransactWriteItem => ({ Put: { ...guarded("attribute_not_exists(pk)"), Item: item } });
const check = (pk: string, sk: string, condition: string, values?: Item): TransactWriteItem => ({
  ConditionCheck: { ...guarded(condition, values), Key: { pk: S(pk), sk: S(sk) } },
});
const update = (
  pk: string, sk: string, condition: string, expression: string, values: Item, names?: Record<string, string>,
): TransactWriteItem => ({
  Update: { ...guarded(condition, values, names), Key: { pk: S(pk), sk: S(sk) }, UpdateExpression: expression },
});

function sorted(value: any): any {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

/** An event with its place in the record's chain of hashes. */
function eventItem(
  kind: string, aggregate: string, sequence: number, before: Uint8Array, type: string, actor: string, now: number, data: object,
  partner: string, customer: string, ids: Record<string, string>,
): Item {
  const [pk, sk] = [`EVENTS#${kind}#${aggregate}`, String(sequence).padStart(10, "0")];
  const json = JSON.stringify(sorted(data));
  const chain = digest("event", before, pk, sk, type, actor, text(now), json);
  return {
    pk: S(pk), sk: S(sk), v: N(1), event_type: S(type), occurred: N(now), actor: S(actor), policy: N(POLICY), event_data: S(json),
    event_hash: B(chain), state: B(chain.subarray(0, 16)), gsi1pk: S(`PARTNER#${partner}`), gsi2pk: S(`CUSTOMER#${customer}`),
    gsi4pk: S(shard("OPERATOR#EVENT", "operator", "EVENT", aggregate)), listed: S(`EVENT#${text(now)}`),
    gsi3pk: S(shard("OUTBOX", "outbox", pk, sk)), gsi3sk: S(text(now)),
    ...Object.fromEntries(Object.entries(ids).map(([name, value]) => [name, S(value)])),
  };
}

/** Undefined if it was written; otherwise which writes failed, with the conflicting items. */
async function transact(writes: TransactWriteItem[]): Promise<Refused | undefined> {
  for (const pause of [20, 40, 80, 160, 300, 300, 300, 0]) {
    try {
      await table.send(new TransactWriteItemsCommand({ TransactItems: writes }));
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      if (reasons.some((reason) => reason.Code === "ConditionalCheckFailed")) {
        return reasons.map((reason) => ({ failed: reason.Code === "ConditionalCheckFailed", item: reason.Item }));
      }
      if (!reasons.some((reason) => reason.Code === "TransactionConflict")) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  throw new Problem(503, "contention");
}

const checkTenant = (customer: string, partner: Item) =>
  check(
    `TENANT#${customer}`, "TENANT",
    "attribute_exists(pk) AND cloud = :cloud AND market = :market AND attribute_not_exists(csp_partner)",
    { ":cloud": partner.cloud, ":market": partner.market },
  );

function refuseTenant({ failed, item }: Refused[0], partner: Item) {
  if (!failed) return;
  if (!item) throw new Problem(422, "customer_unknown");
  if (item.csp_partner) throw new Problem(422, "customer_is_csp_tenant");
  throw new Problem(422, item.cloud.S === partner.cloud.S ? "market_mismatch" : "cloud_mismatch");
}

const invalid = () => new Problem(422, "validation_failed");

function line(body: any, name: string, most: number): string {
  const value = body[name];
  if (typeof value !== "string" || value.length < 1 || value.length > most) throw invalid();
  return value;
}

const maybe = (body: any, name: string, most: number) => (body[name] == null ? undefined : line(body, name, most));

function tenantId(body: any): string {
  const value = body.customer_tenant_id;
  if (typeof value !== "string" || !UUID.test(value)) throw invalid();
  return value.toLowerCase();
}

function members(event: any, known: string[]): any {
  const body = JSON.parse(event.body);
  if (body === null || typeof body !== "object" || !Object.keys(body).every((name) => known.includes(name))) throw invalid();
  return body;
}

async function create(event: any, now: number) {
  const { partner, actor } = await callingPartner(event, now);
  const partnerId = event.pathParameters.partner_id;
  const key = event.headers["idempotency-key"];
  if (!key) throw new Problem(400, "idempotency_key_missing");
  const body = members(event, ["customer_tenant_id", "delegated_admin", "message", "contact_email", "external_reference"]);
  const customer = tenantId(body);
  if (body.delegated_admin !== null || customer === partner.tenant.S) throw invalid();
  const [message, contact] = [maybe(body, "message", 1000), maybe(body, "contact_email", 254)];
  const reference = maybe(body, "external_reference", 100);
  const id = `inv_${tail(digest("invitation", partnerId, "key", key))}`;
  const [token, expires] = [linkToken(id), now + DAYS * DAY_MS];
  const parts = [customer, "", "", "", message ?? "", contact ?? "", "", ...(reference ? [reference] : [])];
  const fingerprint = digest("invitation.create", ...parts);
  const data = { kind: "reseller", delegated_admin: null, expires_at: iso(expires) };
  const happened = eventItem("INVITATION", id, 1, zeros, "invitation.created", actor, now, data, partnerId, customer, { invitation: id });
  let item: Item = {
    pk: S(`INVITATION#${id}`), sk: S("INVITATION"), v: N(1), kind: S("reseller"), partner_name: partner.name, created: N(now),
    expires: N(expires), answer: S("pending"), version: N(1), policy: N(POLICY), token_gen: N(1), key_number: N(1),
    token_hash: B(sha256(token)), fingerprint: B(fingerprint), gsi1pk: S(`PARTNER#${partnerId}`), gsi2pk: S(`CUSTOMER#${customer}`),
    listed: S(`INVITATION#${text(now)}`), gsi3pk: S(shard("DUE", "due", id)), gsi3sk: S(text(expires)), event_seq: N(1),
    event_hash: happened.event_hash, ...(message && { message: S(message) }), ...(contact && { contact_email: S(contact) }),
    ...(reference && { external_reference: S(reference) }),
  };
  const day = (ago: number) => `invited_${iso(now - ago * DAY_MS).slice(0, 10).replaceAll("-", "")}`;
  const days = [0, 1, 2, 3, 4, 5, 6, 7].map((ago) => [`#day${ago}`, day(ago)]);
  const relationship = update(
    `CUSTOMER#${customer}`, `PARTNER#${partnerId}`,
    "(attribute_not_exists(open_invitation) OR open_until <= :now) AND " +
      "(attribute_not_exists(#day0) OR #day0 < :limit) AND (attribute_not_exists(relation) OR relation <> :active)",
    "SET v = if_not_exists(v, :schema), relation = if_not_exists(relation, :none), " +
      "open_invitation = :id, open_until = :until, version = if_not_exists(version, :zero) + :one, " +
      "event_seq = if_not_exists(event_seq, :zero), event_hash = if_not_exists(event_hash, :zeros), " +
      "#day0 = if_not_exists(#day0, :zero) + :one REMOVE " + days.slice(1).map(([name]) => name).join(", "),
    { ":schema": N(1), ":none": S("none"), ":active": S("active"), ":id": S(id), ":until": N(expires), ":now": N(now),
      ":zero": N(0), ":one": N(1), ":zeros": B(zeros), ":limit": N(INVITATIONS_PER_DAY) },
    Object.fromEntries(days),
  );
  const refused = await transact([put(item), checkTenant(customer, partner), relationship, put(happened)]);
  if (refused) {
    const existing = refused[0].item ?? (await get(item.pk.S!, "INVITATION"));
    if (!existing) {
      refuseTenant(refused[1], partner);
      const found = refused[2].item ?? {};
      if (found.relation?.S === "active") throw new Problem(409, "relationship_active");
      throw Number(found.open_until?.N ?? 0) > now ? new Problem(409, "invitation_pending") : new Problem(429, "rate_limited");
    }
    if (!same(existing.fingerprint.B!, fingerprint)) throw new Problem(422, "idempotency_key_reused");
    item = existing;
  }
  const view: any = { invitation: invitationView(item, id, partnerId, customer, now) };
  if (item.answer.S === "pending") view.accept_url = `https://${event.headers.host}/i/${id}#${token}`;
  return answer(201, view, { location: `/v1/partners/${partnerId}/invitations/${id}`, ...replay(!!refused) });
}

function invitationView(item: Item, id: string, partner: string, customer: string, now: number): any {
  const isExpired = item.answer.S === "pending" && Number(item.expires.N) <= now;
  return {
    invitation_id: id, kind: item.kind.S, state: isExpired ? "expired" : item.answer.S, partner_id: partner,
    partner_name: item.partner_name.S, customer_tenant_id: customer, delegated_admin: null, message: item.message?.S ?? null,
    created_at: iso(Number(item.created.N)), expires_at: iso(Number(item.expires.N)), version: Number(item.version.N),
    policy_version: Number(item.policy.N),
  };
}

async function accept(event: any, now: number): Promise<any> {
  const body = members(event, ["token", "accepted_by", "delegated_admin"]);
  const id = event.pathParameters.invitation_id;
  const item = await get(`INVITATION#${id}`, "INVITATION");
  if (!same(item?.token_hash.B ?? zeros, sha256(String(body.token)))) throw new Problem(404, "not_found");
  const [partnerId, customer] = [item!.gsi1pk.S!.replace("PARTNER#", ""), item!.gsi2pk.S!.replace("CUSTOMER#", "")];
  const state = item!.answer.S;
  if (state === "accepted" && body.delegated_admin == null) return accepted(item!, id, partnerId, customer, now, replay(true));
  if (state !== "pending") throw new Problem(409, "invalid_transition");
  if (Number(item!.expires.N) <= now || !item!.gsi3sk) throw new Problem(410, "invitation_expired");
  const person = body.accepted_by;
  if (person === null || typeof person !== "object" || typeof person.role !== "string") throw invalid();
  if (person.role !== "global_admin") throw new Problem(403, "approver_not_permitted");
  const partner = await activePartner(partnerId, now);
  const [name, email] = [line(person, "name", 100), line(person, "email", 254)];
  if (body.delegated_admin != null) throw invalid();
  const [salt, version, sequence] = [randomBytes(16), Number(item!.version.N), Number(item!.event_seq.N) + 1];
  const shown = JSON.stringify(invitationView(item!, id, partnerId, customer, now));
  const encode = (data: Buffer) => data.subarray(0, 16).toString("base64url");
  const data = {
    relationship: { state: "active", since: iso(now) }, grant: null,
    accepted_by: encode(digest("accepted by", salt, name, email)), shown: encode(digest("shown", salt, shown)),
  };
  const happened = eventItem(
    "INVITATION", id, sequence, item!.event_hash.B!, "invitation.accepted", `link#${id}##global_admin##link`, now, data, partnerId,
    customer, { invitation: id },
  );
  const next: Item = {
    answer: S("accepted"), decided: N(now), proof: S("link"), version: N(version + 1), by_name: S(name), by_email: S(email),
    by_salt: B(salt), event_seq: N(sequence), event_hash: happened.event_hash,
  };
  const close = update(
    `INVITATION#${id}`, "INVITATION",
    "answer = :pending AND expires > :now AND attribute_exists(gsi3sk) AND token_hash = :token_hash AND version = :before",
    "SET " + Object.keys(next).map((name) => `${name} = :${name}`).join(", ") + " REMOVE gsi3pk, gsi3sk",
    { ":pending": S("pending"), ":now": N(now), ":token_hash": item!.token_hash, ":before": item!.version,
      ...Object.fromEntries(Object.entries(next).map(([name, value]) => [`:${name}`, value])) },
  );
  const start = update(
    `CUSTOMER#${customer}`, `PARTNER#${partnerId}`, "open_invitation = :id AND relation = :none",
    "SET relation = :active, period = :id, since = :now, gsi1pk = :partner, gsi2pk = :customer, " +
      "listed = :listed, proof = :proof, version = version + :one REMOVE ended, open_invitation, open_until",
    { ":id": S(id), ":none": S("none"), ":active": S("active"), ":now": N(now), ":proof": S("link"), ":one": N(1),
      ":partner": S(`PARTNER#${partnerId}`), ":customer": S(`CUSTOMER#${customer}`),
      ":listed": S(`RELATIONSHIP#${text(now)}#${customer}#${partnerId}`) },
  );
  const refused = await transact([close, checkTenant(customer, partner), start, put(happened)]);
  if (refused) {
    if (refused[0].failed) return accept(event, now);
    const relation = refused[2].item?.relation?.S;
    if (relation === "ended") throw new Problem(403, "accept_proof_required");
    refuseTenant(refused[1], partner);
    throw relation === "active" ? new Problem(409, "invalid_transition") : new Problem(410, "invitation_expired");
  }
  return accepted({ ...item!, ...next }, id, partnerId, customer, now, {});
}

function accepted(item: Item, id: string, partner: string, customer: string, now: number, headers: Record<string, string>) {
  const at = iso(Number(item.decided.N));
  const invitation = invitationView(item, id, partner, customer, now);
  invitation.answer = { decision: "accepted", decided_at: at, delegated_admin: null, proof: item.proof.S };
  const relationship = { partner_id: partner, customer_tenant_id: customer, state: "active", since: at };
  return answer(200, { invitation, relationship, grant: null }, headers);
}

const LENGTHS: Record<string, number> = { one_time: 0, monthly: 1, annual: 12, triennial: 36 };
const TERMS: Record<string, number> = { P1M: 1, P1Y: 12, P3Y: 36 };

async function register(event: any, now: number) {
  const { partner, actor } = await callingPartner(event, now);
  const [partnerId, cloud] = [event.pathParameters.partner_id, partner.cloud.S!];
  const body = members(event, [
    "subscription_id", "customer_tenant_id", "service", "offer_id", "quantity", "billing_cycle", "term", "friendly_name",
    "external_reference", "started_on",
  ]);
  const [id, customer, quantity] = [body.subscription_id, tenantId(body), body.quantity];
  if (typeof id !== "string" || !/^[A-Za-z0-9._-]{1,64}$/.test(id) || !Number.isSafeInteger(quantity) || quantity < 1) throw invalid();
  const [service, offer] = [line(body, "service", 100), line(body, "offer_id", 100)];
  const { billing_cycle: cycle, term } = body;
  if (!(cycle in LENGTHS) || !(term in TERMS) || LENGTHS[cycle] > TERMS[term]) throw invalid();
  const optional = ["friendly_name", "external_reference", "started_on"].map((name) => [name, maybe(body, name, 100)] as const);
  const fingerprint = digest(
    "registration", id.toLowerCase(), customer, service, offer, String(quantity), cycle, term,
    ...optional.map(([, value]) => value ?? ""),
  );
  const aggregate = `${cloud}#${id.toLowerCase()}`;
  const data = { service, offer_id: offer, quantity, billing_cycle: cycle, term };
  const happened = eventItem(
    "SUBSCRIPTION", aggregate, 1, zeros, "subscription.registered", actor, now, data, partnerId, customer, { subscription: id },
  );
  let item: Item = {
    pk: S(`SUBSCRIPTION#${aggregate}`), sk: S("SUBSCRIPTION"), v: N(1), subscription: S(id), cloud: S(cloud), service: S(service),
    offer: S(offer), quantity: N(quantity), billing: S(cycle), term: S(term), registered: N(now), policy: N(POLICY),
    fingerprint: B(fingerprint), gsi1pk: S(`PARTNER#${partnerId}`), gsi2pk: S(`CUSTOMER#${customer}`),
    listed: S(`SUBSCRIPTION#${text(now)}`), event_seq: N(1), event_hash: happened.event_hash,
    ...Object.fromEntries(optional.filter(([, value]) => value).map(([name, value]) => [name, S(value!)])),
  };
  const active = check(`CUSTOMER#${customer}`, `PARTNER#${partnerId}`, "relation = :active", { ":active": S("active") });
  const tenant = check(`TENANT#${customer}`, "TENANT", "attribute_exists(pk) AND attribute_not_exists(csp_partner)");
  const refused = await transact([put(item), active, tenant, put(happened)]);
  if (refused) {
    const existing = refused[0].item ?? (await get(item.pk.S!, "SUBSCRIPTION"));
    if (!existing || existing.gsi1pk.S !== item.gsi1pk.S || !same(existing.fingerprint.B!, fingerprint)) {
      if (refused[1].failed) throw new Problem(403, "no_active_relationship");
      throw refused[2].failed ? new Problem(403, "customer_is_csp_tenant") : new Problem(409, "subscription_exists");
    }
    item = existing;
  }
  const view = {
    subscription_id: item.subscription.S, customer_tenant_id: customer, service: item.service.S, offer_id: item.offer.S,
    quantity: Number(item.quantity.N), billing_cycle: item.billing.S, term: item.term.S, partner_of_record: partnerId,
    registered_at: iso(Number(item.registered.N)), policy_version: Number(item.policy.N),
  };
  const location = `/v1/partners/${partnerId}/subscriptions/${view.subscription_id}`;
  return answer(refused ? 200 : 201, { subscription: view }, { location, ...replay(!!refused) });
}

const replay = (replayed: boolean): Record<string, string> => (replayed ? { "idempotent-replayed": "true" } : {});

const answer = (statusCode: number, body: object, headers: Record<string, string>) => ({
  statusCode, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body),
});

const ROUTES: Record<string, (event: any, now: number) => Promise<any>> = {
  "POST /v1/partners/{partner_id}/invitations": create,
  "POST /v1/invitations/{invitation_id}/accept": accept,
  "POST /v1/partners/{partner_id}/subscriptions": register,
};

export async function handler(event: any) {
  try {
    return await ROUTES[event.routeKey](event, Date.now());
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(503, "unavailable");
    if (problem !== error) console.error(error);
    const headers = { "content-type": "application/problem+json" };
    return answer(problem.status, { status: problem.status, code: problem.code }, headers);
  }
}

run(handler);
