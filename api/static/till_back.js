// Giving a gift back. A gift that was not sent yet is sent all the same, and given back after it:
// taken out of the chain, its number would be missing for ever.
import * as store from "./till_store.js";
import { money, number, say, time } from "./till_words.js";

const $ = (selector) => document.querySelector(`[data-view="back"] ${selector}`);
// The gift whose page is open.
let gift = null;

// Only what the ledger has, or will have, can be given back, and only once.
export const canGoBack = ({ state, back }) => state !== "refused" && !back;

export function fillBack(chosen) {
  gift = chosen;
  $("[data-back-title]").textContent = say("back_title", { number: number(gift.number) });
  $("[data-back-gift]").textContent =
    say("back_gift", { amount: money(gift.amount_cents), time: time(gift.at) });
  $("[data-back-unsent]").hidden = gift.state === "sent";
  $("[data-back-do]").textContent = say("back_do", { amount: money(gift.amount_cents) });
}

export function backButton(of, open) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-plain";
  button.dataset.giveBack = of.number;
  const which = document.createElement("span");
  which.className = "unseen";
  which.textContent = `, ${say("back_of", { number: number(of.number) })}`;
  button.append(say("back"), which);
  button.addEventListener("click", () => {
    fillBack(of);
    open();
  });
  return button;
}

export function listenForBack(done) {
  $('[data-form="back"]').addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = new FormData(event.target).get("reason");
    await store.askBack(gift.donation_id, { reversal_id: crypto.randomUUID(), reason });
    await done();
  });
}
