// The offline till: shows one section of its page at a time, and keeps all that happens on the
// device before it is sent.
import { backButton, canGoBack, listenForBack } from "./till_back.js";
import * as store from "./till_store.js";
import { clockAhead, enrol, NoNetwork, OtherShop, Refused, sync } from "./till_sync.js";
import {
  centsOf, civilDay, day, fill, lasting, money, number, qrOf, say, sayCount, time,
} from "./till_words.js";

const TICKETS_LOW = 50;
const AGAIN_MS = 20_000;
// A clock that is ahead by less is as right as clocks are.
const AHEAD_MS = 60_000;
const $ = (selector, within = document) => within.querySelector(selector);
const view = (name) => $(`[data-view="${name}"]`);
const ADD_ONS = $("[data-add-ons]").dataset.addOns.split(" ").map(Number);
// The sale before the customer: its id makes a gift of it once, whatever is tapped how often.
let sale = null;

function show(name, focused) {
  for (const one of document.querySelectorAll("[data-view]")) {
    one.hidden = one.dataset.view !== name;
  }
  window.scrollTo(0, 0);
  $(focused, view(name))?.focus();
}

function complain(input, words) {
  const error = $(`#${input.id}-error`);
  error.hidden = !words;
  $("[data-error]", error).textContent = words ?? "";
  input.toggleAttribute("aria-invalid", Boolean(words));
  if (words) input.setAttribute("aria-invalid", "true");
  const hint = $(`#${input.id}-hint`) ? `${input.id}-hint ` : "";
  input.setAttribute("aria-describedby", hint + (words ? error.id : ""));
  if (words) input.focus();
}

// Read an amount, or say beside the field what is wrong with it.
function amountOf(input) {
  const cents = centsOf(input.value);
  const problem = !input.value.trim() ? "missing" : cents === null ? "malformed" : cents ? null : "zero";
  complain(input, problem && say(`sale_${problem}`));
  return problem ? null : cents;
}

async function showSale() {
  const input = $("#sale");
  input.value = "";
  complain(input, null);
  show("sale", "#sale");
}

function newSale(purchaseCents) {
  sale = { sale_id: crypto.randomUUID(), purchase_cents: purchaseCents };
  showAsk();
}

// An amount that the customer names is asked for in the same words as any other.
function showAsk(wished = null) {
  const purchaseCents = sale.purchase_cents;
  const section = view("ask");
  const ask = (choice) => $(`[data-ask="${choice}"]`, section).dataset;
  const question = (choice, cents) =>
    fill(ask(choice).wording, { amount: money(cents), total: money(purchaseCents + cents) });
  const up = (100 - (purchaseCents % 100)) % 100;
  const offers = [
    ...(wished ? [["add_on", wished]] : []),
    ...(up ? [["round_up", up]] : []),
    ...ADD_ONS.filter((cents) => cents !== wished).map((cents) => ["add_on", cents]),
  ];
  $("[data-purchase]", section).textContent = say("purchase", { amount: money(purchaseCents) });
  $("[data-question]", section).textContent = question(...offers[0]);
  $("[data-choices]", section).replaceChildren(
    ...offers.map(([choice, cents], place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = place ? "choice" : "choice choice-first";
      const gift = document.createElement("span");
      gift.className = "choice-gift";
      gift.textContent = place ? question(choice, cents) : say("give", { amount: money(cents) });
      const total = document.createElement("span");
      total.className = "choice-total";
      total.textContent = say("in_all", { total: money(purchaseCents + cents) });
      button.append(gift, total);
      button.addEventListener("click", () => give(cents, ask(choice).askId));
      return button;
    }));
  const other = $("#other");
  other.value = "";
  complain(other, null);
  show("ask", ".choice-first");
}

async function give(cents, askId) {
  const chosen = { ...sale, amount_cents: cents, ask_id: askId };
  try {
    await showTicket(await store.record(chosen).catch(async (failure) => {
      if (!(failure instanceof store.OutOfTickets)) throw failure;
      await sync(); // With network there are more.
      return store.record(chosen);
    }));
  } catch (failure) {
    if (!(failure instanceof store.OutOfTickets)) throw failure;
  }
  await send();
}

async function showTicket(gift) {
  const { shop } = await store.device();
  const section = view("ticket");
  $("[data-amount]", section).textContent = money(gift.amount_cents);
  $("[data-where]", section).textContent =
    say("where", { shop, day: day(gift.at), time: time(gift.at) });
  $("[data-code]", section).textContent = gift.code;
  $("[data-qr]", section).replaceChildren(qrOf(gift.qr, say("qr")));
  show("ticket", "[data-go]");
}

function figuresOf(gifts) {
  const made = gifts.filter((gift) => gift.state !== "refused");
  const numbers = made.map((gift) => gift.number);
  return {
    day: civilDay(Date.now()),
    gifts: made.length,
    cents: made.reduce((sum, gift) => sum + gift.amount_cents, 0),
    first_number: made.length ? Math.min(...numbers) : null,
    last_number: made.length ? Math.max(...numbers) : null,
  };
}

// A gift given back stays a gift of its day; what went back is counted beside it, as in the ledger.
const backCents = (gifts) =>
  gifts.filter(({ back }) => back === "waiting" || back === "done")
    .reduce((sum, gift) => sum + gift.amount_cents, 0);

async function giftsToday() {
  const gifts = await store.giftsOf(civilDay(Date.now()));
  return gifts.sort((one, other) => other.at - one.at || other.number - one.number);
}

// The day of a till is what it gave itself, not what this device gave as another till before.
const ofTill = ({ till_id: tillId }, gifts) => gifts.filter((gift) => gift.till_id === tillId);

async function fillDay() {
  const [known, gifts] = await Promise.all([store.device(), giftsToday()]);
  const own = ofTill(known, gifts);
  const figures = figuresOf(own);
  const section = view("day");
  $("[data-place]", section).textContent = `${known.shop}, ${known.name} · ${day(Date.now())}`;
  $("[data-sum]", section).textContent = money(figures.cents);
  $("[data-count]", section).textContent = sayCount("gifts", figures.gifts);
  $("[data-numbers]", section).textContent = figures.gifts
    ? say("numbers", { first: number(figures.first_number), last: number(figures.last_number) })
    : "";
  const back = backCents(own);
  $("[data-given-back]", section).textContent = back ? say("back_sum", { amount: money(back) }) : "";
  $("[data-gifts]", section).replaceChildren(...gifts.map((gift) => rowOf(gift, known)));
  const closed = await store.closeOf(figures.day);
  const said = $("[data-closed]", section);
  said.hidden = !closed;
  if (closed) said.textContent = closeWords(closed);
}

function rowOf(gift, { till_id: tillId }) {
  const row = document.createElement("li");
  const ticket = document.createElement("button");
  ticket.type = "button";
  ticket.className = "button button-plain";
  ticket.textContent = say("show_ticket", { number: number(gift.number) });
  ticket.addEventListener("click", () => showTicket(gift));
  const about = document.createElement("span");
  about.className = "quiet";
  const state = gift.back ? `back_${gift.back}` : `state_${gift.state}`;
  const elsewhere = gift.till_id === tillId ? "" : ` · ${say("elsewhere")}`;
  about.textContent = `${time(gift.at)} · ${say(state)}${elsewhere}`;
  const amount = document.createElement("span");
  amount.className = "row-amount amount";
  amount.textContent = money(gift.amount_cents);
  row.dataset.gift = gift.state;
  row.dataset.back = gift.back ?? "";
  row.append(ticket, about, amount);
  if (canGoBack(gift)) row.append(backButton(gift, () => show("back", "h1")));
  return row;
}

function closeWords({ state, answer }) {
  if (state === "waiting") return say("close_waits");
  return say(answer.agrees ? "close_agrees" : "close_differs", {
    gifts: sayCount("gifts", answer.ledger_gifts), amount: money(answer.ledger_cents),
  });
}

async function closeDay() {
  const figures = figuresOf(ofTill(await store.device(), await giftsToday()));
  await store.keepClose({ ...figures, state: "waiting" });
  await fillDay();
  await send();
}

// Send what waits, then say how things stand.
async function send() {
  const hindrance = await sync();
  await tell(hindrance);
  if (!view("day").hidden) await fillDay();
  if (hindrance === "key" && view("enrol").hidden) await begin();
}

const clockWords = (ms) =>
  ms < AHEAD_MS ? say("dated_ahead") : say("clock_ahead", { ahead: lasting(ms) });

async function tell(hindrance) {
  const [waiting, refused, backs, kept, tickets] = await Promise.all([
    store.giftsIn("waiting"), store.giftsIn("refused"),
    store.backsIn("waiting"), store.backsIn("refused"), store.ticketsLeft(),
  ]);
  const words = [];
  if (!navigator.onLine || hindrance === "network") words.push(say("offline"));
  if (waiting.length) words.push(sayCount("waiting", waiting.length));
  if (clockAhead() !== null) words.push(clockWords(clockAhead()));
  if (backs.length) words.push(sayCount("backs", backs.length));
  if (refused.length) words.push(say("refused"));
  if (kept.length) words.push(say("backs_refused"));
  if (!tickets) words.push(say("tickets_none"));
  else if (tickets < TICKETS_LOW) words.push(say("tickets_low", { count: number(tickets) }));
  const state = $("[data-state]");
  state.textContent = words.join(" ") || say("sent");
  state.dataset.state = words.length ? "look" : "well";
  state.dataset.waiting = waiting.length;
  state.hidden = !(await store.device());
}

async function setUp(event) {
  event.preventDefault();
  const input = $("#code");
  const typed = input.value.trim();
  if (!typed) {
    complain(input, say("code_missing"));
    return;
  }
  try {
    await enrol(typed);
    complain(input, null);
    input.value = "";
    navigator.storage?.persist?.();
    await begin();
  } catch (failure) {
    if (failure instanceof NoNetwork) complain(input, say("no_network"));
    else if (failure instanceof Refused) complain(input, say(failure.name));
    else if (failure instanceof OtherShop) complain(input, say("other_shop", { shop: failure.shop }));
    else throw failure;
  }
}

async function forgetTill() {
  if (await store.anythingWaits()) {
    const state = $("[data-state]");
    state.hidden = false;
    state.textContent = say("forget_waits");
    return;
  }
  await store.forget();
  await begin();
}

// Show the sale where the device is a till, else how to become one.
async function begin() {
  const known = await store.device();
  if (known) {
    $("[data-shop]").textContent = known.shop;
    $("[data-till]").textContent = known.name;
  }
  await tell();
  if (known && !known.revoked) return showSale();
  $("[data-revoked]").hidden = !known;
  $("#code").value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  return show("enrol", "#code");
}

function listen() {
  $('[data-form="enrol"]').addEventListener("submit", setUp);
  $('[data-form="sale"]').addEventListener("submit", (event) => {
    event.preventDefault();
    const cents = amountOf($("#sale"));
    if (cents) newSale(cents);
  });
  $('[data-form="other"]').addEventListener("submit", (event) => {
    event.preventDefault();
    const cents = amountOf($("#other"));
    if (cents) showAsk(cents);
  });
  listenForBack(async () => {
    await fillDay();
    show("day", "h1");
    await send();
  });
  for (const button of document.querySelectorAll("[data-go]")) {
    button.addEventListener("click", async () => {
      if (button.dataset.go === "sale") return showSale();
      await fillDay();
      return show("day", "h1");
    });
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
  }
  $("[data-close]").addEventListener("click", closeDay);
  $("[data-forget]").addEventListener("click", forgetTill);
  window.addEventListener("online", send);
  window.addEventListener("offline", () => tell());
  document.addEventListener("visibilitychange", () => document.hidden || send());
  setInterval(send, AGAIN_MS);
}

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("/till/worker.js", { scope: "/till" });
  navigator.serviceWorker.ready.then(() => { document.documentElement.dataset.kept = "yes"; });
}
listen();
await begin();
await send();
