// Checks a badge in the visitor's browser. Where the browser cannot, the form goes to the server.
import { judge } from "./verify_badge.js";

const form = document.querySelector("#verify");
const field = form.elements.badge;
const answer = document.querySelector("#answer");
const LANGUAGE = document.documentElement.lang;

form.elements.file.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  field.value = await file.text();
  form.requestSubmit();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text) return show("missing");
  const badge = parsed(text);
  try {
    show(await judge(badge, fetchJson), badge);
  } catch (failure) {
    if (failure instanceof Unreachable) return show("unreachable", badge);
    // No Ed25519, or no Web Crypto outside https: the server checks instead.
    form.elements.file.disabled = true;
    form.submit();
  }
});

class Unreachable extends Error {}

async function fetchJson(path) {
  try {
    const response = await fetch(path, { cache: "no-cache" });
    if (response.ok) return await response.json();
  } catch {
    // Without network there is no answer either.
  }
  throw new Unreachable(path);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function show(verdict, badge) {
  const words = document.querySelector(`template[data-verdict="${verdict}"]`).content;
  answer.replaceChildren(words.cloneNode(true));
  const signed = ["genuine", "revoked", "suspended", "expired", "not_yet"].includes(verdict);
  if (signed) {
    const facts = document.querySelector("template[data-facts]").content.cloneNode(true);
    const day = { dateStyle: "long", timeZone: "Europe/Paris" };
    const said = {
      shop: badge.credentialSubject.name,
      agreement: badge.credentialSubject.licenseNumber,
      from: new Date(badge.validFrom).toLocaleDateString(LANGUAGE, day),
      until: new Date(badge.validUntil).toLocaleDateString(LANGUAGE, day),
    };
    for (const place of facts.querySelectorAll("[data-fact]")) {
      place.textContent = said[place.dataset.fact];
    }
    answer.append(facts);
  }
  answer.append(document.querySelector("template[data-where]").content.cloneNode(true));
  answer.focus();
}
