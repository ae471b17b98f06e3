import type { FastifyReply, FastifyRequest } from 'fastify';
import { buildMessagePage } from '#platform/http';
import { buildFormPostPage } from '../form-post-page.js';
import type { Shown } from './receive-front-channel.js';

const NEVER_STORED = { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' };

/** Sends a browser on, or shows a page that says nothing of what was sent. @see SLO-40, SLO-54, SLO-55 */
export function sendFront(shown: Shown, publicUrl: string, request: FastifyRequest, reply: FastifyReply): void {
  switch (shown.what) {
    case 'flow':
      return redirect(reply, `${publicUrl}/logout/${shown.token}`);
    case 'answer':
      if (shown.answer.method === 'redirect') return redirect(reply, shown.answer.url);
      return send(reply, 200, buildFormPostPage(shown.answer));
    case 'taken':
      return send(reply, 200, buildMessagePage({ title: 'Signed out here', text: 'You may close this.', framedBy: 'self' }));
    case 'error':
      return send(reply, shown.status, buildMessagePage({ ...ERRORS[shown.status], reference: request.id, framedBy: 'self' }));
  }
}

const ERRORS = {
  400: {
    title: 'This logout was not accepted',
    text: 'The application sent a logout message that is not accepted here. To be sure that you are signed out, close your browser.',
  },
  404: { title: 'Not found', text: 'There is no single logout at this address.' },
  500: { title: 'Not possible now', text: 'The logout could not be done. Try again in a moment, or close your browser to be signed out.' },
  503: { title: 'Not possible now', text: 'The logout could not be done. Try again in a moment, or close your browser to be signed out.' },
} as const;

/** 303, so that what was posted here is not posted on. */
function redirect(reply: FastifyReply, url: string): void {
  void reply.code(303).headers(NEVER_STORED).header('location', url).send();
}

function send(reply: FastifyReply, status: number, page: { html: string; headers: Record<string, string> }): void {
  void reply.code(status).headers(page.headers).send(page.html);
}
