import { describe, expect, it } from '@jest/globals';
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import type { Profile, SamlConfig } from '@node-saml/node-saml';
import { samlBrowserChannels } from '#channels';
import {
  buildLogoutResponse,
  encodePost,
  encodeRedirect,
  newMessageId,
  parseRedirectMessage,
  signMessage,
  verifyLogoutMessage,
} from '#protocol/saml';
import type { MessageExpectation } from '#protocol/saml';
import { samlMessage } from '../support/saml-message.js';
import { makeCredential } from '../support/saml-peer.js';
import { makeSigner } from '../support/saml-signer.js';

const IDP = 'https://idp.example/metadata';
const OUR_ENDPOINT = 'https://slo.example/saml/slo/corp';
const SP = 'https://sp.example/metadata';
const SP_ENDPOINT = 'https://sp.example/slo?tenant=1';

const signer = makeSigner();
const credential = makeCredential('sp');
const nameId = {
  value: 'al\u00efce & co',
  format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  nameQualifier: 'https://idp.example?a=1&b=2',
};

/** An SP of another maker's. */
const sp = (change: Partial<SamlConfig> = {}): SAML =>
  new SAML({
    idpCert: signer.certificate,
    idpIssuer: IDP,
    issuer: SP,
    callbackUrl: 'https://sp.example/acs',
    entryPoint: 'https://idp.example/sso',
    logoutUrl: OUR_ENDPOINT,
    privateKey: credential.privateKey,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    validateInResponseTo: ValidateInResponseTo.never,
    decryptionPvk: credential.privateKey,
    ...change,
  });

const channels = samlBrowserChannels({
  signers: { signerFor: () => Promise.resolve({ entityId: IDP, signer }) },
  clock: { now: () => new Date() },
  settings: { requestLifetimeSeconds: 300 },
});
const queryOf = (url: string): string => url.slice(url.indexOf('?') + 1);
/** What an SP's framework makes of a query. */
const parsed = (query: string): Record<string, string> => Object.fromEntries(new URLSearchParams(query));
const fieldsOf = (fields: { name: string; value: string }[]) => Object.fromEntries(fields.map(({ name, value }) => [name, value]));

async function prepare(binding: 'redirect' | 'post', config = {}) {
  const message = samlMessage(binding, SP_ENDPOINT, {
    saml: { nameId, sessionIndexes: ['_s1'], cause: 'admin' },
    config,
    entity: { encryptionKeys: [{ certificate: credential.certificate, methods: [] }] },
  });
  const prepared = await channels.find(({ type }) => type === `saml-${binding}`)!.prepare(message);
  if (prepared.kind !== 'ready') throw new Error(prepared.error);
  return prepared;
}
async function readByNodeSaml(
  binding: 'redirect' | 'post',
  config = {},
  by = sp(),
): Promise<{ id: string; profile: Profile | null; loggedOut: boolean }> {
  const { leg, messageId } = await prepare(binding, config);
  const read =
    leg.method === 'redirect'
      ? await by.validateRedirectAsync(parsed(queryOf(leg.url)), queryOf(leg.url))
      : await by.validatePostRequestAsync(fieldsOf(leg.fields));
  return { id: messageId, ...read };
}

describe('node-saml as the receiver of what we send', () => {
  it.each(['redirect', 'post'] as const)('SLO-80 believes our LogoutRequest by %s, and reads in it what we mean', async (binding) => {
    const { id, profile, loggedOut } = await readByNodeSaml(binding);
    expect(loggedOut).toBe(true);
    expect(profile).toMatchObject({
      ID: id,
      issuer: IDP,
      nameID: nameId.value,
      nameIDFormat: nameId.format,
      sessionIndex: '_s1',
    });
  });

  it('SLO-92 reads our EncryptedID', async () => {
    expect((await readByNodeSaml('post', { encryptNameId: true })).profile).toMatchObject({
      nameID: nameId.value,
      nameIDFormat: nameId.format,
    });
  });

  it.each(['redirect', 'post'] as const)('believes it by %s from no other key', async (binding) => {
    await expect(readByNodeSaml(binding, {}, sp({ idpCert: makeCredential('other').certificate }))).rejects.toThrow(/[Ss]ignature/);
  });

  it('SLO-12 takes our LogoutResponse by Redirect with RelayState, and by POST', async () => {
    const respond = (status: string) =>
      buildLogoutResponse({
        id: newMessageId(),
        issuer: IDP,
        destination: SP_ENDPOINT,
        issueInstant: new Date(),
        inResponseTo: '_q',
        status: { code: status, subCode: null, message: null },
      });
    const carried = { location: SP_ENDPOINT, kind: 'response', relayState: 'r /+&=\u00fc' } as const;
    const query = queryOf(encodeRedirect({ ...carried, xml: respond('Success'), signer }));
    expect(await sp().validateRedirectAsync(parsed(query), query)).toEqual({ profile: null, loggedOut: true });
    const { fields } = encodePost({ ...carried, xml: signMessage(respond('Success'), signer) });
    expect(await sp().validatePostResponseAsync(fieldsOf(fields))).toMatchObject({ profile: null, loggedOut: true });
    const refused = queryOf(encodeRedirect({ ...carried, xml: respond('Responder'), signer }));
    await expect(sp().validateRedirectAsync(parsed(refused), refused)).rejects.toThrow('Bad status code');
  });
});

describe('node-saml as the sender of what we verify', () => {
  const expectation: MessageExpectation = {
    issuer: SP,
    certificates: [credential.certificate],
    destinations: [OUR_ENDPOINT],
    allowSha1: false,
    decryptionKeys: [],
    now: new Date(),
    maxAgeSeconds: 300,
    skewSeconds: 60,
  };
  const user: Profile = {
    issuer: IDP,
    nameID: nameId.value,
    nameIDFormat: nameId.format,
    nameQualifier: nameId.nameQualifier,
    sessionIndex: '_s1',
  };

  it('SLO-43, SLO-44 its LogoutRequest by Redirect is believed', async () => {
    // Without a space in it: that it would sign as %20 and send as +.
    const url = await sp().getLogoutUrlAsync(user, 'r-1', {});
    const message = parseRedirectMessage(queryOf(url));
    expect(await verifyLogoutMessage(message, { ...expectation, now: new Date() })).toMatchObject({
      kind: 'request',
      nameId,
      sessionIndexes: ['_s1'],
      relayState: 'r-1',
    });
  });

  it.each([
    [true, 'Success'],
    [false, 'Requester'],
  ])('SLO-12, SLO-13 its LogoutResponse by Redirect (done: %s) is believed', async (done, code) => {
    const url = await new Promise<string>((resolve, reject) =>
      sp().getLogoutResponseUrl({ ...user, ID: '_q1' }, '', {}, done, (error, made) => (error ? reject(error) : resolve(made!))),
    );
    const message = parseRedirectMessage(queryOf(url));
    const answer = await verifyLogoutMessage(message, { ...expectation, now: new Date() });
    expect(answer).toMatchObject({ kind: 'response', inResponseTo: '_q1', status: { code } });
  });
});
