import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '#domain';
import type { Logger } from '#platform/telemetry';
import { quotePeer } from '#protocol/oidc';
import type { BackchannelLogoutAnswer, ReceiveBackchannelLogout } from './receive-backchannel-logout.js';

/** A longer body is refused before it is read to its end. Bytes. @see BCL-53 */
export const LOGOUT_REQUEST_LIMIT_BYTES = 64 * 1024;

/** Every answer is exactly 200 or 400, and is never stored. @see BCL-48, BCL-49, BCL-50, BCL-51 */
export async function answerBackchannelLogout(
  receiver: ReceiveBackchannelLogout,
  log: Logger,
  idpId: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { method, headers, body } = request;
  const answer = await receiver.receive(idpId, { method, contentType: headers['content-type'], body });
  record(log, { idp: quotePeer(idpId, 64), requestId: request.id }, answer);
  void reply.code(answer.status).header('cache-control', 'no-store');
  if (answer.status === 200) {
    void reply.send();
    return;
  }
  void reply
    .header('content-type', 'application/json')
    .send(JSON.stringify({ error: answer.error, error_description: answer.description }));
}

function record(log: Logger, about: { idp: string; requestId: string }, answer: BackchannelLogoutAnswer): void {
  if ('fault' in answer) {
    log.error({ ...about, err: answer.fault }, `back-channel logout failed: ${messageOf(answer.fault)}`);
  } else if ('refusal' in answer) {
    const { code, clause, description, detail } = answer.refusal;
    log.warn({ ...about, code, clause, description, detail }, 'back-channel logout refused');
  } else {
    log.info({ ...about, ended: answer.ended }, 'back-channel logout received');
  }
}
