// Judges a badge with nothing but what the browser has: Web Crypto, and a few lines of our own.
// It checks the proof eddsa-jcs-2022, which signs the document as it is written (W3C Data
// Integrity EdDSA 1.0, section 3.3), and the signed status lists (Bitstring Status List 1.0).

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const PURPOSES = ["revocation", "suspension"];
const SUITES = ["eddsa-jcs-2022", "eddsa-rdfc-2022"];

/** What a badge is worth now. `fetchJson` gets one of the issuer's own documents by its path. */
export async function judge(badge, fetchJson, now = new Date()) {
  if (!Array.isArray(badge?.type) || !badge.type.includes("OpenBadgeCredential")) return "not_a_badge";
  const issuer = await fetchJson("/.well-known/did.json");
  if ((badge.issuer?.id ?? badge.issuer) !== issuer.id) return "other_issuer";
  if (!(await isProved(badge, issuer))) return "tampered";
  const bits = {};
  for (const purpose of PURPOSES) {
    const entry = badge.credentialStatus.find((one) => one.statusPurpose === purpose);
    const list = await fetchJson(`/badges/status/${purpose}`);
    if (!(await isCurrent(list, entry, issuer, now))) return "unreachable";
    bits[purpose] = await isSet(list.credentialSubject.encodedList, Number(entry.statusListIndex));
  }
  if (bits.revocation) return "revoked";
  if (now > new Date(badge.validUntil)) return "expired";
  if (bits.suspension) return "suspended";
  if (now < new Date(badge.validFrom)) return "not_yet";
  return "genuine";
}

async function isCurrent(list, entry, issuer, now) {
  return (
    list.id === entry.statusListCredential &&
    list.credentialSubject.statusPurpose === entry.statusPurpose &&
    now <= new Date(list.validUntil) &&
    (await isProved(list, issuer))
  );
}

async function isProved({ proof: proofs, ...document }, issuer) {
  const suites = Array.isArray(proofs) ? proofs.map((one) => one?.cryptosuite).sort() : [];
  if (String(suites) !== String(SUITES)) return false;
  const { proofValue, ...options } = proofs.find((one) => one.cryptosuite === SUITES[0]);
  // The issuer's present key, or one that it signed with before and still stands by.
  const method = issuer.verificationMethod.find((one) => one.id === options.verificationMethod);
  const asExpected =
    options.type === "DataIntegrityProof" &&
    options.proofPurpose === "assertionMethod" &&
    issuer.assertionMethod.includes(method?.id);
  try {
    if (!asExpected || canonical(options["@context"]) !== canonical(document["@context"])) return false;
    const signed = new Uint8Array([...(await hash(options)), ...(await hash(document))]);
    // The first two bytes of a Multikey say that it is Ed25519.
    const raw = base58(method.publicKeyMultibase).slice(2);
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, base58(proofValue), signed);
  } catch (failure) {
    if (failure instanceof TypeError || failure instanceof RangeError) return false;
    throw failure;
  }
}

async function hash(value) {
  const bytes = new TextEncoder().encode(canonical(value));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Canonical JSON (RFC 8785): names in the order of their UTF-16 units, no number but integers. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  const plain = ["string", "boolean"].includes(typeof value) || value === null;
  if (!plain && !Number.isSafeInteger(value)) throw new TypeError("no canonical form");
  return JSON.stringify(value);
}

function base58(text) {
  if (text[0] !== "z") throw new TypeError("not base 58");
  let number = 0n;
  for (const letter of text.slice(1)) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new TypeError("not base 58");
    number = number * 58n + BigInt(value);
  }
  const digits = number.toString(16);
  const bytes = (digits.length % 2 ? `0${digits}` : digits).match(/../g);
  const zeros = text.slice(1).match(/^1*/)[0].length;
  const rest = number === 0n ? [] : bytes.map((byte) => parseInt(byte, 16));
  return new Uint8Array([...Array(zeros).fill(0), ...rest]);
}

async function isSet(encoded, place) {
  const letters = atob(encoded.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bits = new Uint8Array(await new Response(stream).arrayBuffer());
  return Boolean(bits[place >> 3] & (0x80 >> (place & 7)));
}
