import type { SamlMessageKind } from '#protocol/saml';
import { overPost, overRedirect, overSoap } from './attack.js';
import type { Attack } from './attack.js';
import { encryptedId, messageTricks } from './message-tricks.js';
import { queryTricks } from './query-tricks.js';
import { signatureTricks } from './signature-tricks.js';
import { signed } from './sign.js';
import { envelope, query } from './wire.js';
import { wrappingAttacks } from './wrapping.js';
import { unsigned, writeMessage } from './write-message.js';
import { xmlTricks } from './xml-tricks.js';
import type { World } from './world.js';

/** All attacks, for any world: that of the documents here, or that of a running service. @see SLOX-1 to SLOX-20 */
export function makeAttacks(world: World): Attack[] {
  return [...wrappingAttacks(world), ...signatureTricks(world), ...xmlTricks(world), ...messageTricks(world), ...queryTricks(world)];
}

/** What the attacks were made from, and must be believed. */
export function makeOriginals(world: World): Attack[] {
  const kinds: readonly SamlMessageKind[] = ['request', 'response'];
  const encrypted = writeMessage(world, 'request', { identifier: encryptedId(world) });
  return [
    ...kinds.flatMap((kind) => {
      const message = writeMessage(world, kind);
      return [
        overPost('original', 'SLO-47', kind, null, signed(message, world.peer)),
        overSoap('original', 'SLO-57', kind, null, envelope(signed(message, world.peer))),
        overRedirect('original', 'SLO-43', kind, null, query(unsigned(message), kind, world.peer)),
      ];
    }),
    overPost('original-encrypted', 'SLO-11', 'request', null, signed(encrypted, world.peer)),
    overSoap('original-encrypted', 'SLO-11', 'request', null, envelope(signed(encrypted, world.peer))),
  ];
}
