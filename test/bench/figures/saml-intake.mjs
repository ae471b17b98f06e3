import { atMost, median, nowMs } from '../statistics.mjs';

const IDP = 'bench-saml';
const SP = 'bench-saml-sp';
const IDP_ENTITY = 'https://idp.bench.example/saml';
const SP_ENTITY = 'https://sp.bench.example/saml';
const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata';
const SOAP = 'urn:oasis:names:tc:SAML:2.0:bindings:SOAP';
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
/** So many are under way at a time: some SPs that are at it, and all SPs at once. */
const AT_ONCE = [8, 64];
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/**
 * Signed LogoutRequests of an SP, taken in over SOAP, each for a session of its own that nothing else hangs on, so that the answer comes at once: how long Exeunt's event loop
 * stands still at a time, and how many a second there are, against bare xml-crypto, which verifies the same messages and does nothing else.
 */
export async function measureSamlIntake(world) {
  const { quick, rounds } = world.options;
  const exeunt = world.first;
  const count = quick ? 100 : 1_000;
  const certificate = await world.samlPeer.call('certificate');
  await exeunt.registerSaml({ idp: IDP, idpMetadata: idpMetadata(certificate), sp: SP, spMetadata: spMetadata(certificate) });
  world.say('saml: warming up');
  for (const warmUp of quick ? [100] : [500, 500]) {
    await takeIn(world, exeunt, warmUp, AT_ONCE[0]);
    await exeunt.analyze();
  }
  const seen = new Map(AT_ONCE.map((atOnce) => [atOnce, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [atOnce, rows] of seen) {
      const one = await takeIn(world, exeunt, count, atOnce);
      rows.push(one);
      const { watched, rate, bareRate } = one;
      const stall = `${watched.longestOwnMs.toFixed(1)} ms (${watched.longestMs.toFixed(1)} with the wait for processors)`;
      world.say(
        `saml: round ${round}, ${atOnce} at a time: longest stall ${stall}; ${Math.round(rate)} messages/s, ${Math.round(bareRate)}/s bare`,
      );
    }
  }
  return [...[...seen].map(([atOnce, rows]) => stallOf(count, atOnce, rows)), rateOf(count, seen.get(AT_ONCE[0]))];
}

/** The worst of all rounds: one stall is enough to make everybody wait. */
function stallOf(count, atOnce, seen) {
  const worst = (name) => Math.max(...seen.map(({ watched }) => watched[name]));
  return {
    name: `saml/stall/${atOnce}-at-once`,
    figure: `longest stall of the event loop while ${count} signed LogoutRequests come in over SOAP, ${atOnce} at a time, ms`,
    goal: { atMost: 50 },
    ratio: worst('longestOwnMs'),
    isAbsolute: true,
    absolute: {
      withWaitMs: worst('longestMs'),
      p99Ms: median(seen.map(({ watched }) => watched.p99Ms)),
      longestGcMs: worst('longestGcMs'),
      bareLongestMs: Math.max(...seen.map(({ bare }) => bare.longestMs)),
    },
    shown: ({ withWaitMs, p99Ms, longestGcMs }) =>
      `with the wait for processors ${Math.round(withWaitMs)} ms, p99 ${p99Ms.toFixed(1)} ms; longest garbage collection ${longestGcMs.toFixed(1)} ms`,
    rounds: seen.map(({ watched }) => watched.longestOwnMs),
  };
}

function rateOf(count, seen) {
  return {
    name: 'saml/intake',
    figure: 'signed LogoutRequests taken in over SOAP / bare xml-crypto verification of the same messages',
    ratio: median(seen.map((round) => round.rate / round.bareRate)),
    absolute: {
      messagesPerSecond: median(seen.map((round) => round.rate)),
      barePerSecond: median(seen.map((round) => round.bareRate)),
      processorMsPerMessage: median(seen.map(({ watched }) => watched.processorMs / count)),
      bareProcessorMsPerMessage: median(seen.map(({ bare }) => bare.processorMs / count)),
    },
    shown: ({ messagesPerSecond, barePerSecond, processorMsPerMessage, bareProcessorMsPerMessage }) =>
      `${Math.round(messagesPerSecond)} / ${Math.round(barePerSecond)} a second; ${processorMsPerMessage.toFixed(2)} / ${bareProcessorMsPerMessage.toFixed(2)} ms of processor time a message`,
    rounds: seen.map((round) => round.rate / round.bareRate),
  };
}

async function takeIn(world, exeunt, count, atOnce) {
  const prefix = exeunt.fresh('saml');
  const users = Array.from({ length: count }, (_, user) => ({
    sid: `${prefix}-${user}`,
    sps: [SP],
    handles: { nameId: { value: `_${prefix}-name-${user}`, format: TRANSIENT }, sessionIndex: `_${prefix}-index-${user}` },
  }));
  await exeunt.logIn(IDP, users);
  const path = `/saml/slo/${IDP}/soap`;
  const messages = await world.samlPeer.call(
    'sign',
    SP_ENTITY,
    `${exeunt.publicUrl}${path}`,
    users.map(({ handles }) => handles),
  );
  const bare = await world.samlPeer.call('verify', messages);
  const before = await exeunt.outcomes(IDP);
  await exeunt.watch('begin');
  const begin = nowMs();
  await atMost(
    atOnce,
    messages.map((message) => async () => {
      const answer = await exeunt.postSoap(path, wrap(message));
      if (!answer.includes(SUCCESS)) throw new Error(`a LogoutRequest was not answered with Success: ${answer.slice(0, 2_000)}`);
    }),
  );
  const took = nowMs() - begin;
  const watched = await exeunt.watch('end');
  await exeunt.settled();
  const confirmed = (await exeunt.outcomes(IDP)).confirmed - before.confirmed;
  if (confirmed !== count) throw new Error(`${count} sessions were to end; the ledger has ${confirmed}`);
  return { rate: (count * 1_000) / took, bareRate: (count * 1_000) / bare.ms, bare, watched };
}

function wrap(message) {
  return `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>${message}</S:Body></S:Envelope>`;
}

function idpMetadata(certificate) {
  const sso = `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.bench.example/sso"/>`;
  return entity(IDP_ENTITY, 'IDPSSODescriptor', keyOf(certificate) + sso);
}

/** With an address for logouts that is never called: the SP that asks has nothing to be told. */
function spMetadata(certificate) {
  const slo = `<md:SingleLogoutService Binding="${SOAP}" Location="http://127.0.0.1:9/slo"/>`;
  const acs = `<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.bench.example/acs"/>`;
  return entity(SP_ENTITY, 'SPSSODescriptor', keyOf(certificate) + slo + acs);
}

function entity(entityId, role, content) {
  return `<md:EntityDescriptor xmlns:md="${METADATA}" entityID="${entityId}"><md:${role} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${content}</md:${role}></md:EntityDescriptor>`;
}

function keyOf(certificate) {
  return `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
}
