import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { DeliveryView, FlowView } from './describe-flow.js';
import { frameOrigins, framersOf } from './frame-origins.js';
import { renderPage } from './render-page.js';
import type { PageOptions } from './render-page.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const HOSTILE = `<script>alert(1)</script>"'&</b></noscript>`;

const due = (n: number, channel: string, name = `Application ${n}`): DeliveryView => ({
  n,
  name,
  state: 'browser',
  text: 'x',
  leg: { channel, isDue: true },
});

const view = (more: Partial<FlowView> = {}): FlowView => ({
  title: 'Signing you out',
  message: 'One moment.',
  deliveries: [],
  settled: false,
  answerAt: '2026-01-01T00:00:10.000Z',
  next: 'wait',
  isOpen: true,
  owesAnswer: true,
  ...more,
});

const render = (flow: FlowView, more: Partial<PageOptions> = {}) =>
  renderPage(flow, { base: 'token', frameOrigins: [], framedBy: [], legTimeoutMs: 5_000, now: NOW, ...more });
const policyOf = (more: Partial<PageOptions> = {}): string[] => render(view(), more).headers['content-security-policy']!.split(';');
const refreshOf = (flow: FlowView): string | undefined => /http-equiv="refresh" content="([^"]*)"/.exec(render(flow).html)?.[1];

describe('the page', () => {
  it('SLO-48 SLOX-18 shows what others have written as text, wherever it stands', () => {
    const flow = view({ title: HOSTILE, message: HOSTILE, deliveries: [{ ...due(1, 'saml-redirect', HOSTILE), text: HOSTILE }] });
    const { html } = render(flow, { base: HOSTILE });
    expect(html).not.toContain('alert(1)</script>');
    expect(html).not.toContain(`"'&<`);
    expect(html.match(/&#60;script&#62;alert\(1\)&#60;\/script&#62;&#34;&#39;&#38;/g)!.length).toBeGreaterThanOrEqual(6);
    expect(html.match(/<script/g)).toHaveLength(1);
  });

  it('SLO-48 runs its own script and style alone, by their hashes', () => {
    const { html } = render(view());
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ] as const) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)![1]!;
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policyOf()).toContain(`${directive} 'sha256-${hash}'`);
    }
    expect(policyOf().join(';')).not.toMatch(/unsafe|\*|https:|http:/);
  });

  it('its frames go to the SPs and to us, and nobody may frame it but whom it is said', () => {
    expect(policyOf({ frameOrigins: ['https://a.example', 'https://b.example'] })).toEqual(
      expect.arrayContaining(["default-src 'none'", "frame-src 'self' https://a.example https://b.example", "frame-ancestors 'none'"]),
    );
    expect(policyOf({ framedBy: ['https://idp.example'] })).toContain('frame-ancestors https://idp.example');
  });

  it('SLO-54 is not stored, and its address is not passed on', () => {
    expect(render(view()).headers).toMatchObject({ 'cache-control': 'no-cache, no-store', 'referrer-policy': 'no-referrer' });
  });

  it('no frame may move the page, open windows or show dialogues', () => {
    const { html } = render(view({ deliveries: [due(1, 'saml-redirect')] }));
    expect(html.match(/sandbox="([^"]*)"/)![1]).toBe('allow-scripts allow-forms allow-same-origin');
    expect(html).toContain("setAttribute('sandbox', 'allow-scripts allow-forms allow-same-origin')");
  });

  it('can be read by a machine that reads aloud, and on a phone', () => {
    const { html } = render(view({ deliveries: [due(1, 'saml-redirect', 'Payroll')] }));
    expect(html).toMatch(/^<!doctype html><html lang="en">/);
    for (const part of [
      'name="viewport" content="width=device-width',
      '<title>Signing you out</title>',
      'role="status"',
      'aria-hidden="true" inert',
    ]) {
      expect(html).toContain(part);
    }
  });

  it('offers to go on where there is somebody to go to', () => {
    expect(render(view()).html).toContain('<a class="go" href="token/answer">Continue without waiting</a>');
    expect(render(view({ next: 'stay' })).html).toContain('<a class="go" href="token/answer">Continue</a>');
    expect(render(view({ owesAnswer: false })).html).not.toContain('/answer"');
  });
});

describe('without scripts', () => {
  it.each<[string, Partial<FlowView>, string | undefined]>([
    ['frames that go by themselves: soon after they have loaded', { deliveries: [due(1, 'saml-redirect')] }, '2'],
    ['buttons: time to press them, and not beyond the answer', { deliveries: [due(1, 'saml-redirect'), due(2, 'saml-post')] }, '11'],
    ['buttons, and nobody is owed an answer', { deliveries: [due(1, 'saml-post')], owesAnswer: false }, '30'],
    ['nothing to do here but to wait', {}, '2'],
    ['it is over: at once to the answer', { next: 'answer' }, '0;url=token/answer'],
    ['it is over, and this is the end', { next: 'stay' }, undefined],
  ])('looks again: %s', (_, more, content) => expect(refreshOf(view(more))).toBe(content));

  it('frames what is due and not what is under way, those with a button first, and a bounded number', () => {
    const underWay: DeliveryView = { ...due(1, 'saml-redirect'), leg: { channel: 'saml-redirect', isDue: false } };
    const many = [underWay, ...Array.from({ length: 20 }, (_, n) => due(n + 2, n === 19 ? 'saml-post' : 'saml-redirect'))];
    const frames = [...render(view({ deliveries: many })).html.matchAll(/<iframe title="([^"]*)"/g)].map(([, name]) => name);
    expect(frames).toHaveLength(8);
    expect(frames[0]).toBe('Application 21');
    expect(frames).not.toContain('Application 1');
  });
});

describe('origins', () => {
  const entity = (...locations: ['redirect' | 'post' | 'soap', string][]) =>
    ({ saml: { singleLogoutServices: locations.map(([binding, location]) => ({ binding, location })) } }) as never;

  it('are those of the endpoints that a browser is sent to, each once', () => {
    const sps = new Map([
      ['a', entity(['redirect', 'https://a.example/slo?x=1'], ['post', 'https://a.example/post'], ['soap', 'https://inside.example/slo'])],
      ['b', entity(['post', 'https://b.example:8443/slo'])],
      ['c', { saml: null } as never],
    ]);
    const deliveries = ['a', 'b', 'c', 'a', 'gone'].map((spId) => ({ spId }));
    expect(frameOrigins({ deliveries } as never, sps)).toEqual(['https://a.example', 'https://b.example:8443']);
  });

  it('an address cannot smuggle anything into the policy', () => {
    const sps = new Map([['a', entity(['redirect', "https://a.example/; script-src 'unsafe-inline'"], ['post', 'not a url; *'])]]);
    expect(frameOrigins({ deliveries: [{ spId: 'a' }] } as never, sps)).toEqual(['https://a.example']);
  });

  it('of an identity provider that has none: nobody', () => {
    expect(framersOf(null)).toEqual([]);
    expect(framersOf({ saml: null })).toEqual([]);
  });
});
