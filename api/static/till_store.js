// What the device keeps: which till it is, tickets made beforehand, its gifts, its closed days.
import { FIRST, linked } from "./till_chain.js";
import { civilDay } from "./till_words.js";

const VERSION = 3;
const KEPT_DAYS = 62;
const DAY = 24 * 3600 * 1000;
let opened = null;

export class OutOfTickets extends Error {}

function create(database) {
  database.createObjectStore("device", { keyPath: "id" });
  database.createObjectStore("tickets", { keyPath: "donation_id" });
  const gifts = database.createObjectStore("gifts", { keyPath: "donation_id" });
  // A double tap or a tap after a reload finds the gift of its sale.
  gifts.createIndex("sale_id", "sale_id", { unique: true });
  gifts.createIndex("state", "state");
  gifts.createIndex("day", "day");
  database.createObjectStore("closes", { keyPath: "day" });
}

// Say of gifts from before their till was kept which one made them: the device was one till then.
function signGifts(transaction) {
  const gifts = transaction.objectStore("gifts");
  transaction.objectStore("device").get("device").onsuccess = ({ target: { result: known } }) => {
    if (!known) return;
    gifts.openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      cursor.update({ till_id: known.till_id, ...cursor.value });
      cursor.continue();
    };
  };
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("don-positif-till", VERSION);
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) create(request.result);
      // Whether a gift is given back; absent from those that are not.
      if (oldVersion < 2) request.transaction.objectStore("gifts").createIndex("back", "back");
      signGifts(request.transaction);
    };
    request.onsuccess = () => {
      // Another tab with newer code must not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// Run work in one transaction: all of it is kept, or nothing is.
async function transact(stores, mode, work) {
  const database = await open();
  const transaction = database.transaction(stores, mode, { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  ended.catch(() => {}); // Whoever waits for the work hears of it there.
  const result = await work(...stores.map((name) => transaction.objectStore(name)));
  await ended;
  return result;
}

export const device = () =>
  transact(["device"], "readonly", (devices) => done(devices.get("device")));

export const ticketsLeft = () =>
  transact(["tickets"], "readonly", (tickets) => done(tickets.count()));

export const keepTickets = (made) =>
  transact(["tickets"], "readwrite", (tickets) => made.forEach((ticket) => tickets.put(ticket)));

export const giftsOf = (day) =>
  transact(["gifts"], "readonly", (gifts) => done(gifts.index("day").getAll(day)));

export const giftOf = (donationId) =>
  transact(["gifts"], "readonly", (gifts) => done(gifts.get(donationId)));

async function inOrder(index, value) {
  const found = await transact(["gifts"], "readonly", (gifts) =>
    done(gifts.index(index).getAll(value)));
  return found.sort((one, other) => one.number - other.number);
}

export const giftsIn = (state) => inOrder("state", state);

// Gifts that are given back: `waiting` to be told to the ledger, `done`, or `refused` by it.
export const backsIn = (state) => inOrder("back", state);

// Whether the ledger is still to be told of a gift, or of one given back.
export const anythingWaits = async () => {
  const [gifts, backs] = await Promise.all([giftsIn("waiting"), backsIn("waiting")]);
  return gifts.length + backs.length > 0;
};

// Have a gift given back once it is sent; its reversal has an id, so that it happens once.
export const askBack = (donationId, reversal) =>
  transact(["gifts"], "readwrite", async (gifts) => {
    const gift = await done(gifts.get(donationId));
    if (gift && !gift.back) gifts.put({ ...gift, back: "waiting", reversal });
  });

export const noteBack = (donationId, back) =>
  transact(["gifts"], "readwrite", async (gifts) => {
    const gift = await done(gifts.get(donationId));
    if (gift) gifts.put({ ...gift, back });
  });

export const closeOf = (day) =>
  transact(["closes"], "readonly", (closes) => done(closes.get(day)));

export const keepClose = (close) =>
  transact(["closes"], "readwrite", (closes) => done(closes.put(close)));

export const waitingCloses = async () =>
  (await transact(["closes"], "readonly", (closes) => done(closes.getAll())))
    .filter((close) => close.state === "waiting");

// Become a till. A device that is it already goes on with its numbers under the new key; another
// one begins at 1, and what the till before had closed is none of its days. Gifts that still wait
// stay those of the till before until it is known which of them arrived: see `move`.
export const become = (till) =>
  transact(["device", "closes"], "readwrite", async (devices, closes) => {
    const before = await done(devices.get("device"));
    const same = before?.till_id === till.till_id;
    if (!same) closes.clear();
    const numbers = same ? {} : { number: 0, hash: FIRST };
    devices.put({ id: "device", ...before, ...till, ...numbers, revoked: false });
  });

export const revoked = () =>
  transact(["device"], "readwrite", async (devices) => {
    const known = await done(devices.get("device"));
    if (known) devices.put({ ...known, revoked: true });
  });

export const forget = () =>
  transact(["device", "tickets", "gifts", "closes"], "readwrite", (...stores) => {
    for (const store of stores) store.clear();
  });

// Record a gift, once for each sale: with the next number, linked to the gift before it. The hash
// takes a moment, in which another tab may have recorded one: then it is made again.
export async function record(sale, at = Date.now()) {
  for (;;) {
    const [known, ticket, before] = await transact(
      ["device", "tickets", "gifts"], "readonly", (devices, tickets, gifts) =>
        Promise.all([
          done(devices.get("device")),
          done(tickets.getAll(null, 1)).then((found) => found[0]),
          done(gifts.index("sale_id").get(sale.sale_id)),
        ]));
    if (before) return before;
    if (!ticket) throw new OutOfTickets();
    const fresh = { ...sale, ...ticket, at, day: civilDay(at), state: "waiting" };
    const gift = await linked(known, fresh);
    if (await keep(gift)) return gift;
  }
}

const keep = (gift) =>
  transact(["device", "tickets", "gifts"], "readwrite", async (devices, tickets, gifts) => {
    const [known, ticket, before] = await Promise.all([
      done(devices.get("device")),
      done(tickets.get(gift.donation_id)),
      done(gifts.index("sale_id").get(gift.sale_id)),
    ]);
    if (known.hash !== gift.previous || !ticket || before) return false;
    gifts.add(gift);
    tickets.delete(gift.donation_id);
    devices.put({ ...known, number: gift.number, hash: gift.hash });
    return true;
  });

// The ledger has another gift under this gift's ticket: a restored backup used a ticket again. The
// money was given, so the gift takes a fresh ticket and the next number.
export async function renew(gift) {
  for (;;) {
    const [known, ticket] = await transact(["device", "tickets"], "readonly", (devices, tickets) =>
      Promise.all([
        done(devices.get("device")),
        done(tickets.getAll(null, 1)).then((found) => found[0]),
      ]));
    if (!ticket) throw new OutOfTickets();
    const again = await linked(known, { ...gift, ...ticket, sent_as: [], state: "waiting" });
    if (await replace(gift, again)) return;
  }
}

// Number a gift that waited through a change of till, as one of this till; `sent_as` are the
// hashes under which it may have arrived after all.
export async function move(gift) {
  for (;;) {
    const known = await device();
    const sentAs = [...(gift.sent_as ?? []), gift.hash];
    const again = await linked(known, { ...gift, sent_as: sentAs });
    if (await replace(gift, again)) return;
  }
}

const replace = (gift, again) =>
  transact(["device", "tickets", "gifts"], "readwrite", async (devices, tickets, gifts) => {
    const known = await done(devices.get("device"));
    if (known.hash !== again.previous) return false;
    const here = await done(gifts.get(gift.donation_id));
    if (here?.hash !== gift.hash) return true; // Another tab has done it.
    const { back, reversal } = here; // Meanwhile somebody may have asked for it back.
    gifts.delete(gift.donation_id);
    gifts.add(back ? { ...again, back, reversal } : again);
    tickets.delete(again.donation_id);
    devices.put({ ...known, number: again.number, hash: again.hash });
    return true;
  });

export const replaceTickets = (made) =>
  transact(["tickets"], "readwrite", (tickets) => {
    tickets.clear();
    for (const ticket of made) tickets.put(ticket);
  });

// Note what became of gifts that were sent: states by donation id.
export const noteStates = (states) =>
  transact(["gifts"], "readwrite", async (gifts) => {
    for (const [donationId, state] of states) {
      const gift = await done(gifts.get(donationId));
      if (gift) gifts.put({ ...gift, state });
    }
  });

// Send again what the ledger misses of a till and this device has.
export async function sendAgain(tillId, gaps) {
  const sent = await giftsIn("sent");
  const missed = sent.filter((gift) => gift.till_id === tillId &&
    gaps.some((gap) => gap.first_number <= gift.number && gift.number <= gap.last_number));
  await noteStates(missed.map((gift) => [gift.donation_id, "waiting"]));
  return missed.length;
}

// Forget sent gifts of more than two months ago: the ledger has them.
export async function prune() {
  const since = Date.now() - KEPT_DAYS * DAY;
  const old = (await giftsIn("sent")).filter(({ at, back }) => at < since && back !== "waiting");
  if (!old.length) return;
  await transact(["gifts"], "readwrite", (gifts) => {
    for (const gift of old) gifts.delete(gift.donation_id);
  });
}
