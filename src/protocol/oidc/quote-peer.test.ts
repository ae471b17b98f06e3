import { quotePeer } from './quote-peer.js';

describe('quotePeer', () => {
  it('makes one printable line of what a peer wrote', () => {
    expect(quotePeer(' a\r\nb\tc\u0000\u001b[31m\u202e d \ud800 é\u2028', 100)).toBe('a b c [31m d é');
  });

  it('keeps the words of a page and not its markup, scripts or styles', () => {
    const page =
      '<!DOCTYPE html><html><head><style>p { color: red }</style><script>alert(1)</script></head><body><p>Bad <b>Request</b></p>';
    expect(quotePeer(page, 100)).toBe('Bad Request');
  });

  it('does not repeat a token that the peer echoed', () => {
    const echoed = 'invalid logout_token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlLWJ5dGVz given';
    expect(quotePeer(echoed, 200)).toBe('invalid logout_token [token] given');
  });

  it('keeps the names of hosts', () => {
    expect(quotePeer('connect to backchannel.application.example-corporation.com', 200)).toContain('application.example-corporation');
  });

  it('does not repeat a token that is cut by the limit', () => {
    const token = `${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.${'c'.repeat(500)}`;
    expect(quotePeer(`no: ${token}`, 100)).not.toContain('aaaaaaaaaaaaaaaa');
  });

  it('cuts to the limit and shows that it did', () => {
    expect(quotePeer('word '.repeat(1_000), 20)).toBe('word word word wo...');
  });
});
