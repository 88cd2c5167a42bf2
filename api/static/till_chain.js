// The chain of a device's gifts: each is numbered and linked to the one before it, in the form
// that ledger/devices.py documents and checks.
export const FIRST = "0".repeat(64);

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hexOf = (buffer) =>
  [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export function canonical(tillId, gift) {
  return JSON.stringify([
    tillId,
    gift.number,
    gift.donation_id,
    gift.at,
    gift.amount_cents,
    "customer",
    gift.purchase_cents,
    gift.ask_id,
    null,
  ]);
}

// Make a gift one of this device's till, with its number, the hash before it and its own.
export async function linked(device, gift) {
  const place = { number: device.number + 1, previous: device.hash };
  const next = { ...gift, till_id: device.till_id, ...place };
  const said = new TextEncoder().encode(canonical(device.till_id, next));
  const before = bytesOf(device.hash);
  const whole = new Uint8Array(before.length + said.length);
  whole.set(before);
  whole.set(said, before.length);
  return { ...next, hash: hexOf(await crypto.subtle.digest("SHA-256", whole)) };
}

// What the service is sent of a gift.
export const bodyOf = (gift) => ({
  donation_id: gift.donation_id,
  occurred_at: new Date(gift.at).toISOString(),
  amount_cents: gift.amount_cents,
  source: "customer",
  purchase_cents: gift.purchase_cents,
  ask_id: gift.ask_id,
  device: { number: gift.number, previous: gift.previous, hash: gift.hash },
});
