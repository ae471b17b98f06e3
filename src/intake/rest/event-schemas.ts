import { z } from 'zod';
import { CAUSES, INITIATORS, isId, LOGOUT_SCOPES } from '#domain';
import type { Cause, Handles, Initiator, NameId } from '#domain';
import type { SessionEvent } from '#coordinator';
import type { Target } from '#sessions';

/** `sid`: printable ASCII. @see BCL-20 */
const sid = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');
const text = (limit: number) => z.string().min(1).max(limit);
const sub = text(255);
const sessionIndex = text(512);
const registryId = z.string().min(1).max(64);
const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
const sessionId = z.string().refine(isId, 'must be a session id of Exeunt (UUID)');

/** A SAML NameID: its text alone, or with its attributes. */
const nameId = z
  .union([
    text(1024),
    z.strictObject({
      value: text(1024),
      format: text(512).optional(),
      nameQualifier: text(1024).optional(),
      spNameQualifier: text(1024).optional(),
      spProvidedId: text(1024).optional(),
    }),
  ])
  .transform((value): NameId => (typeof value === 'string' ? { value } : value));

const handles = z.strictObject({
  sid: sid.optional(),
  sub: sub.optional(),
  email: text(320).optional(),
  nameId: nameId.optional(),
  sessionIndex: sessionIndex.optional(),
});

const named = <Shape extends Record<string, unknown>>(schema: z.ZodType<Shape>, names: string) =>
  schema.refine((value) => Object.values(value).some((one) => one !== undefined), `must have at least one of ${names}`);

const eventId = text(255);
const idleTimeoutSeconds = z.int().min(1).max(31_536_000);
const lifetime = { expiresAt: instant.optional(), idleTimeoutSeconds: idleTimeoutSeconds.optional() };

const started = z.strictObject({
  id: eventId,
  type: z.literal('session.started'),
  idp: registryId,
  handles: named(handles, 'sid, sub, email, nameId, sessionIndex'),
  ...lifetime,
});
const joined = z.strictObject({
  id: eventId,
  type: z.literal('session.joined'),
  idp: registryId,
  parent: named(
    z.strictObject({ sid: sid.optional(), sessionIndex: sessionIndex.optional(), sessionId: sessionId.optional() }),
    'sid, sessionIndex, sessionId',
  ),
  sp: registryId,
  handles: handles.default({}),
  ...lifetime,
});
const targetHandles = handles.extend({ sessionId: sessionId.optional() });
const touched = z.strictObject({
  id: eventId,
  type: z.literal('session.touched'),
  idp: registryId,
  handles: named(targetHandles, 'sid, sub, email, nameId, sessionIndex, sessionId'),
  expiresAt: instant.optional(),
});
const ended = z.strictObject({
  id: eventId,
  type: z.literal('session.ended'),
  idp: registryId,
  handles: named(targetHandles, 'sid, sub, email, nameId, sessionIndex, sessionId'),
  reason: z.string().max(500).optional(),
  initiator: z.enum(INITIATORS).optional(),
  cause: z.preprocess((value) => (typeof value === 'string' ? value.replaceAll('_', '-') : value), z.enum(CAUSES)).optional(),
  scope: z.enum(LOGOUT_SCOPES).default('session'),
});

/** One session event on the wire. */
export const eventSchema = z.discriminatedUnion('type', [started, joined, touched, ended]).meta({ id: 'SessionEvent' });

export const EVENTS_A_BATCH = 1_000;

/** Only the envelope: each event is judged alone, so that one bad event does not cost the others. */
export const batchSchema = z.strictObject({ events: z.array(z.unknown()).min(1).max(EVENTS_A_BATCH) });

/** The whole body, as it is documented. */
export const documentedBatchSchema = z.strictObject({ events: z.array(eventSchema).min(1).max(EVENTS_A_BATCH) });

/** From the wire to ours. */
export function toSessionEvent(event: z.output<typeof eventSchema>): SessionEvent {
  switch (event.type) {
    case 'session.started':
    case 'session.joined':
      return { ...event, expiresAt: event.expiresAt ?? null, idleTimeoutSeconds: event.idleTimeoutSeconds ?? null };
    case 'session.touched': {
      const { id, type, idp } = event;
      return { id, type, idp, target: event.handles, expiresAt: event.expiresAt ?? null };
    }
    case 'session.ended': {
      const { id, type, idp, scope } = event;
      const initiator = event.initiator ?? 'idp';
      return {
        id,
        type,
        idp,
        target: event.handles,
        initiator,
        cause: event.cause ?? causeOf(event.reason, initiator),
        scope,
        reason: event.reason ?? null,
      };
    }
  }
}

/** An IdP that gives no cause may have named one as the reason, or said who began; else it is not known, and not guessed. */
function causeOf(reason: string | undefined, initiator: Initiator): Cause {
  const named = CAUSES.find((cause) => cause === reason?.replaceAll('_', '-'));
  if (named) return named;
  return initiator === 'user' || initiator === 'admin' ? initiator : 'unspecified';
}

/** What a logout is asked for: handles with their IdP, or a session of ours. */
export const logoutSchema = z
  .strictObject({
    target: named(targetHandles.extend({ idp: registryId.optional() }), 'sessionId, or idp with a handle'),
    cause: z.preprocess((value) => (typeof value === 'string' ? value.replaceAll('_', '-') : value), z.enum(CAUSES)),
    reason: z.string().max(500).optional(),
    scope: z.enum(LOGOUT_SCOPES).default('session'),
  })
  .refine((value) => value.target.sessionId !== undefined || value.target.idp !== undefined, {
    path: ['target', 'idp'],
    message: 'must name the identity provider, unless target has a sessionId',
  })
  .refine((value) => hasHandle(value.target), {
    path: ['target'],
    message: 'must name a session: sessionId, or idp with sid, sub, email, nameId or sessionIndex',
  });

function hasHandle(target: Target & { idp?: string }): boolean {
  const { idp: _, ...names } = target;
  return Object.values(names satisfies Handles).some((name) => name !== undefined);
}
