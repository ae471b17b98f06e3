import { quotePeer, readRetryAfter } from '#protocol/oidc';
import { judgeLogoutStatus, parseSoapMessage, readSoapFault, SamlMessageRefused, SoapFault, verifyLogoutMessage } from '#protocol/saml';
import type { IncomingMessage, SoapFaultContent } from '#protocol/saml';
import type { SamlStep } from '#registry';
import type { AttemptResult } from '../channel.js';
import type { SamlSoapSettings } from './ports.js';

/** An HTTP response of an SP; header names in lower case. Untrusted. */
export interface SoapHttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** The body was longer than we read. */
  truncated: boolean;
}

/** The request that it has to answer. */
export interface AskedOf {
  /** ID of our LogoutRequest. */
  id: string;
  channel: SamlStep;
  attemptNumber: number;
  now: Date;
  settings: SamlSoapSettings;
}

const ERROR_LIMIT = 500;
const QUOTE_LIMIT = 200;
/** Client errors that pass: the peer gave up waiting, is not ready, or wants less. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What an SP's answer over SOAP says of the session.
 *
 * Only a LogoutResponse that is signed with a key of the SP's metadata and answers this very request says anything, and then the HTTP status says
 * nothing: peers send good answers with 500, and pages of their front door with 200. Without one:
 * - `refused`, final: a SOAP fault that blames our message (Client, VersionMismatch, MustUnderstand), and without a fault 4xx (403 is the binding's
 *   refusal to talk; 408, 425, 429 pass) and redirects, which are never followed;
 * - `failed`, may pass: all else. An answer that is there and not believed is among it, for a new certificate may be on its way in the metadata.
 * @see SLO-13, SLO-59, SLO-61, SLO-75, SLO-80
 */
export async function readSoapAnswer(response: SoapHttpResponse, asked: AskedOf): Promise<AttemptResult> {
  const { status: httpStatus } = response;
  if (response.truncated) return { result: 'failed', httpStatus, error: `answered ${httpStatus} with more than we read` };
  const message = readMessage(response.body);
  if (message instanceof SamlMessageRefused || message instanceof SoapFault) return withoutMessage(response, message, asked.now);
  try {
    return { ...(await judge(message, asked)), httpStatus };
  } catch (error) {
    if (!(error instanceof SamlMessageRefused)) throw error;
    return { result: 'failed', httpStatus, error: `the answer is not believed: ${quotePeer(error.message, 400)}` };
  }
}

function readMessage(body: string): IncomingMessage | SamlMessageRefused | SoapFault {
  try {
    return parseSoapMessage(body);
  } catch (error) {
    if (error instanceof SamlMessageRefused || error instanceof SoapFault) return error;
    throw error;
  }
}

async function judge(message: IncomingMessage, { id, channel, attemptNumber, now, settings }: AskedOf): Promise<AttemptResult> {
  const answer = await verifyLogoutMessage(message, {
    issuer: channel.entity.entityId,
    certificates: channel.entity.signingCertificates,
    destinations: [],
    allowSha1: channel.config.allowSha1,
    decryptionKeys: [],
    now,
    maxAgeSeconds: settings.messageMaxAgeSeconds,
    skewSeconds: settings.clockSkewSeconds,
  });
  if (answer.kind !== 'response') return { result: 'failed', error: 'answered with a LogoutRequest where a LogoutResponse is wanted' };
  if (answer.inResponseTo !== id) {
    const seen = answer.inResponseTo === null ? 'nothing' : quotePeer(answer.inResponseTo, 100);
    return { result: 'failed', error: `the answer is not believed: SLO-13: it is in response to ${seen}; wanted is ${id}` };
  }
  return judgeLogoutStatus(answer.status, { attemptNumber });
}

function withoutMessage({ status, headers, body }: SoapHttpResponse, why: { description: string }, now: Date): AttemptResult {
  const fault = readSoapFault(body);
  const error = (fault ? faultText(status, fault) : statusText(status, headers, body, why)).slice(0, ERROR_LIMIT);
  if (isFinal(status, fault)) return { result: 'refused', httpStatus: status, error };
  const retryAfterMs = readRetryAfter(headers['retry-after'], now);
  return { result: 'failed', httpStatus: status, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function isFinal(status: number, fault: SoapFaultContent | null): boolean {
  if (fault) return fault.faultCode !== 'Server';
  return (status >= 300 && status <= 399) || (status >= 400 && status <= 499 && !PASSING.has(status));
}

function faultText(status: number, { faultCode, description }: SoapFaultContent): string {
  return `answered ${status} with a SOAP fault ${faultCode}: ${quotePeer(description, QUOTE_LIMIT)}`;
}

function statusText(status: number, headers: SoapHttpResponse['headers'], body: string, why: { description: string }): string {
  if (status >= 300 && status <= 399) {
    const target = headers['location'] ? ` to ${quotePeer(headers['location'].replace(/[?#].*$/s, ''), QUOTE_LIMIT)}` : '';
    return `answered ${status}, a redirect${target}, which is never followed: the metadata must name the final address`;
  }
  const quoted = quotePeer(body, QUOTE_LIMIT);
  return `answered ${status} without a SAML message (${quotePeer(why.description, 150)})${quoted ? `: ${quoted}` : ''}`;
}
