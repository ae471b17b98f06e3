import { encodePost } from './encode-post.js';
import type { PostMessage } from './encode-post.js';

const message: PostMessage = { location: 'https://sp.example/slo?a=1', kind: 'request', xml: '<a>\u00fc</a>', relayState: 'r"1' };

describe('encodePost', () => {
  it('SLO-47 is a form with base64 of the XML, not deflated, and RelayState', () => {
    expect(encodePost(message)).toEqual({
      action: 'https://sp.example/slo?a=1',
      fields: [
        { name: 'SAMLRequest', value: Buffer.from('<a>\u00fc</a>').toString('base64') },
        { name: 'RelayState', value: 'r"1' },
      ],
    });
  });

  it('SLO-47 calls an answer SAMLResponse, and needs no other field', () => {
    expect(encodePost({ ...message, kind: 'response', relayState: null }).fields.map(({ name }) => name)).toEqual(['SAMLResponse']);
  });

  it('SLO-51 never sends a RelayState of ours with more than 80 bytes', () => {
    expect(() => encodePost({ ...message, relayState: 'x'.repeat(81) })).toThrow('SLO-51');
  });

  it('SLO-52 gives a RelayState of the peer back as it came', () => {
    expect(encodePost({ ...message, kind: 'response', relayState: 'x'.repeat(81) }).fields[1]!.value).toHaveLength(81);
  });
});
