import { ExeuntError } from '#domain';
import { buildLogoutTokenClaims } from './build-logout-token-claims.js';

const given = {
  issuer: 'https://op.example.com/',
  clientId: 'client-1',
  sid: 's 1~',
  sub: 'user-1',
  now: new Date('2026-01-02T03:04:05.999Z'),
  jti: 'j-1',
};
const iat = Date.parse('2026-01-02T03:04:05Z') / 1000;

describe('buildLogoutTokenClaims', () => {
  it('BCL-10 to BCL-19 has the claims of a logout token, to the byte as given, and no others', () => {
    expect(buildLogoutTokenClaims(given)).toEqual({
      iss: 'https://op.example.com/',
      aud: 'client-1',
      iat,
      exp: iat + 120,
      jti: 'j-1',
      sid: 's 1~',
      sub: 'user-1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
  });

  it('BCL-15 has exactly one event, whose value is an empty object on the wire', () => {
    expect(JSON.stringify(buildLogoutTokenClaims(given).events)).toBe('{"http://schemas.openid.net/event/backchannel-logout":{}}');
  });

  it.each([
    ['sid alone', { sub: null }, ['sid']],
    ['sub alone', { sid: null }, ['sub']],
    ['sid alone, sub not given', { sub: undefined }, ['sid']],
    ['sub alone, sid empty', { sid: '' }, ['sub']],
  ])('BCL-16 takes %s', (_, change, wanted) => {
    const claims = buildLogoutTokenClaims({ ...given, ...change });
    expect(Object.keys(claims).filter((name) => name === 'sid' || name === 'sub')).toEqual(wanted);
  });

  it('BCL-16 builds nothing without sid and sub', () => {
    expect(() => buildLogoutTokenClaims({ ...given, sid: null, sub: null })).toThrow(ExeuntError);
  });
});
