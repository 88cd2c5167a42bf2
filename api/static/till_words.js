// How the till writes: words come from the page, amounts and times from the browser.
const LANGUAGE = document.documentElement.lang;
const REGION = LANGUAGE === "fr" ? "fr-FR" : "en-GB";
const VILLAGE = "Europe/Paris";
const EUROS = new Intl.NumberFormat(REGION, { style: "currency", currency: "EUR" });
const DAY = new Intl.DateTimeFormat(REGION, { dateStyle: "long", timeZone: VILLAGE });
const TIME = new Intl.DateTimeFormat(REGION, { timeStyle: "short", timeZone: VILLAGE });
const PLURAL = new Intl.PluralRules(REGION);
const ISO_DAY = new Intl.DateTimeFormat("en-CA", {
  timeZone: VILLAGE, year: "numeric", month: "2-digit", day: "2-digit",
});
// The words as they read between thousands: `1 234,50 €`, and never `12 34`.
const TYPED_SALE = /^([0-9]{1,7}|[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,2})(?:[.,]([0-9]{1,2}))?$/;

export function say(name, values = {}) {
  const word = document.querySelector("#words").content.querySelector(`[data-word="${name}"]`);
  return fill(word ? word.textContent : name, values);
}

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function sayCount(name, count) {
  const form = PLURAL.select(count) === "one" ? "one" : "other";
  return say(`${name}_${form}`, { count: count.toLocaleString(REGION) });
}

export const money = (cents) => EUROS.format(cents / 100);
export const day = (moment) => DAY.format(moment);
export const time = (moment) => TIME.format(moment);
export const number = (value) => value.toLocaleString(REGION);

// A time that lasts, in the largest unit of which it has two at least: `120 minutes` are 2 hours.
export function lasting(ms) {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];
  const [unit, one] = units.find(([, size]) => ms >= 2 * size) ?? units.at(-1);
  const written = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(REGION, written).format(Math.round(ms / one));
}

// The civil day of the village's calendar, as `2026-11-23`.
export const civilDay = (moment) => ISO_DAY.format(moment);

// The cents of a price as people write it; null when it is none.
export function centsOf(text) {
  const typed = TYPED_SALE.exec(text.trim().replace(/^€|€$/g, "").trim());
  if (!typed) return null;
  const euros = Number(typed[1].replace(/\D/g, ""));
  return euros * 100 + Number((typed[2] ?? "").padEnd(2, "0"));
}

// Draw the rows of a QR code: dark on light in any scheme, since readers want it so.
export function qrOf(rows, title) {
  const size = rows.length, border = 4, whole = size + 2 * border;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${whole} ${whole}`);
  svg.setAttribute("class", "qr");
  const named = document.createElementNS(svg.namespaceURI, "title");
  named.textContent = title;
  const ground = document.createElementNS(svg.namespaceURI, "rect");
  for (const side of ["width", "height"]) ground.setAttribute(side, whole);
  ground.setAttribute("fill", "#fff");
  const dots = document.createElementNS(svg.namespaceURI, "path");
  let path = "";
  rows.forEach((row, y) => {
    const bits = row.toString(2).padStart(size, "0");
    for (let x = 0; x < size; x += 1) {
      if (bits[x] === "1") path += `M${x + border} ${y + border}h1v1h-1z`;
    }
  });
  dots.setAttribute("d", path);
  dots.setAttribute("fill", "#000");
  svg.append(named, ground, dots);
  return svg;
}
