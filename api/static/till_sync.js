// Sending what waits on the device, and fetching tickets for the gifts to come.
import { bodyOf } from "./till_chain.js";
import * as store from "./till_store.js";

const AT_ONCE = 100;
const TICKETS_KEPT = 200;
const REFUSED_FOR_GOOD = new Set([409, 422]);
// The device's clock ran ahead: the money was taken, and the ledger takes the gift later.
const TOO_EARLY = "occurred_in_future";
const NEVER_GIVEN_BACK = new Set([404, 409, 422]);

export class Refused extends Error {
  constructor(status, error) {
    super(error?.name);
    this.status = status;
    this.name = error?.name ?? "failed";
  }
}

export class NoNetwork extends Error {}

// What waits on this device was given in another shop, and must be sent as that shop's.
export class OtherShop extends Error {
  constructor(shop) {
    super(shop);
    this.shop = shop;
  }
}

async function ask(path, { key, body } = {}) {
  const headers = { Accept: "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), cache: "no-store",
    });
  } catch {
    throw new NoNetwork();
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told.error);
  return told;
}

// Become the till of a code, or of a key. Raises Refused, NoNetwork or OtherShop.
export async function enrol(typed) {
  const till = typed.startsWith("dpt_")
    ? { ...(await ask("/api/v1/till", { key: typed })), key: typed }
    : await ask("/api/v1/till/enrolments", { body: { code: typed } });
  const before = await store.device();
  if (before && before.partner_id !== till.partner_id && await store.anythingWaits()) {
    throw new OtherShop(before.shop);
  }
  await store.become(till);
  await sync();
}

let running = null;
let wanted = false;
let compared = false;
let ahead = null;

// By how many milliseconds the clock was ahead of the ledger's when the newest gift that is dated
// too early was refused; null when no gift waits for its time.
export const clockAhead = () => ahead;

// Send all that waits, in order; what is given back of it; then closes; then fetch tickets. One
// run at a time: who asks in the middle of one makes it begin again. Gives null when all is well,
// else what stands in the way: `network`, `key` or `busy`.
export function sync() {
  wanted = true;
  running ??= untilUnwanted().finally(() => { running = null; });
  return running;
}

async function untilUnwanted() {
  let hindrance = null;
  while (wanted) {
    wanted = false;
    hindrance = await synced();
  }
  return hindrance;
}

async function synced() {
  const known = await store.device();
  if (!known || known.revoked) return "key";
  if (!navigator.onLine) return "network";
  try {
    await compare(known);
    await moveGifts(known);
    await sendGifts(known);
    await sendBacks(known);
    await sendCloses(known);
    await fetchTickets(known);
    await store.prune();
    return null;
  } catch (failure) {
    if (failure instanceof NoNetwork) return "network";
    if (!(failure instanceof Refused)) throw failure;
    if (failure.status !== 401) return "busy";
    await store.revoked();
    return "key";
  }
}

// Look once whether the ledger knows later numbers than this device: then a backup was restored,
// and its tickets may have been used.
async function compare({ key, number }) {
  if (compared) return;
  const { last_number: last } = await ask("/api/v1/till", { key });
  if (last > number) await store.replaceTickets(await freshTickets(key));
  compared = true;
}

// Ask which of these gifts the shop has in the ledger: the hash of its link by donation id.
async function recorded(key, gifts) {
  const found = new Map();
  for (let start = 0; start < gifts.length; start += AT_ONCE) {
    const some = gifts.slice(start, start + AT_ONCE).map((gift) => gift.donation_id);
    const { known } = await ask("/api/v1/till/known", { key, body: { donation_ids: some } });
    for (const one of known) found.set(one.donation_id, one.hash);
  }
  return found;
}

// Gifts that waited through a change of till: of some only the answer was lost. Those are the gifts
// of the till before, and stay so; the others become gifts of this till.
async function moveGifts({ key, till_id: tillId }) {
  const waiting = (await store.giftsIn("waiting")).filter((gift) => gift.till_id !== tillId);
  if (!waiting.length) return;
  const found = await recorded(key, waiting);
  for (const gift of waiting) {
    const arrived = [gift.hash, ...(gift.sent_as ?? [])].includes(found.get(gift.donation_id));
    if (arrived) await store.noteStates([[gift.donation_id, "sent"]]);
    else await store.move(gift);
  }
}

// The ledger has these ids with other contents. Only what is surely another gift is given a fresh
// ticket; one that arrived from the till before is sent, and what nobody can tell is shown.
async function settle({ key }, gifts) {
  const moved = gifts.filter((gift) => gift.sent_as?.length);
  const found = moved.length ? await recorded(key, moved) : new Map();
  const arrived = (gift) => gift.sent_as.includes(found.get(gift.donation_id));
  await store.noteStates(moved
    .filter((gift) => arrived(gift) || !found.has(gift.donation_id))
    .map((gift) => [gift.donation_id, arrived(gift) ? "sent" : "refused"]));
  const others = gifts.filter((gift) =>
    !gift.sent_as?.length || (found.has(gift.donation_id) && !arrived(gift)));
  if (others.length) await fetchTickets({ key });
  for (const gift of others) await store.renew(gift);
  return others.length > 0;
}

// The gifts that wait under this till; others are moved first.
const waitingOf = async (tillId) =>
  (await store.giftsIn("waiting")).filter((gift) => gift.till_id === tillId);

async function sendGifts({ key, till_id: tillId }) {
  const waiting = await waitingOf(tillId);
  ahead = null;
  while (waiting.length) {
    const gifts = waiting.splice(0, AT_ONCE);
    const body = { donations: gifts.map(bodyOf) };
    const { results } = await ask("/api/v1/donations/batch", { key, body });
    const states = [];
    const again = [];
    results.forEach(({ status, error }, place) => {
      if (error?.name === "donation_differs") again.push(gifts[place]);
      else if (error?.name === TOO_EARLY) {
        ahead = Date.now() - Date.parse(error.now.replace(" ", "T"));
      } else if (status < 300) states.push([gifts[place].donation_id, "sent"]);
      else if (REFUSED_FOR_GOOD.has(status)) states.push([gifts[place].donation_id, "refused"]);
    });
    await store.noteStates(states);
    if (again.length && await settle({ key }, again)) {
      waiting.splice(0, Infinity, ...await waitingOf(tillId));
    }
  }
}

// Give back what is to be given back, each after its gift.
async function sendBacks({ key }) {
  for (const gift of await store.backsIn("waiting")) {
    if (gift.state === "waiting") continue;
    const body = { ...gift.reversal, amount_cents: gift.amount_cents };
    try {
      await ask(`/api/v1/donations/${gift.donation_id}/reversals`, { key, body });
      await store.noteBack(gift.donation_id, "done");
    } catch (failure) {
      if (!NEVER_GIVEN_BACK.has(failure.status)) throw failure;
      await store.noteBack(gift.donation_id, "refused");
    }
  }
}

// A day is closed once all its gifts are sent; one that has not begun by the ledger's clock waits.
async function sendCloses({ key, till_id: tillId }) {
  const unsent = new Set((await store.giftsIn("waiting")).map((gift) => gift.day));
  for (const { state, answer, ...body } of await store.waitingCloses()) {
    if (unsent.has(body.day)) continue;
    try {
      const told = await ask("/api/v1/till/closes", { key, body });
      await store.keepClose({ ...body, state: "sent", answer: told });
      if (await store.sendAgain(tillId, told.gaps)) await sendGifts({ key, till_id: tillId });
    } catch (failure) {
      if (failure.name !== "day_not_begun") throw failure;
    }
  }
}

const freshTickets = async (key) =>
  (await ask("/api/v1/till/tickets", { key, body: { count: AT_ONCE } })).tickets;

async function fetchTickets({ key }) {
  let left = await store.ticketsLeft();
  // Fetched by the hundred, and only once half of them are used.
  while (left <= TICKETS_KEPT - AT_ONCE) {
    const tickets = await freshTickets(key);
    await store.keepTickets(tickets);
    left += tickets.length;
  }
}
