// Runs what our own page runs, on the documents given on standard input: the page's verifier takes
// nothing from a browser but Web Crypto, streams and a way to fetch.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

const source = await readFile(new URL("../../api/static/verify_badge.js", import.meta.url));
const { judge } = await import(`data:text/javascript;base64,${source.toString("base64")}`);

const { badge, didDocument, lists, at } = JSON.parse(await text(process.stdin));
const documents = new Map([
  ["/.well-known/did.json", didDocument],
  ...lists.map((list) => [`/badges/status/${list.credentialSubject.statusPurpose}`, list]),
]);
const verdict = await judge(badge, async (path) => documents.get(path), new Date(at));
process.stdout.write(JSON.stringify({ verdict }));
