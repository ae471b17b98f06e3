import { Injectable } from '@nestjs/common';
import { Database } from '#platform/database';
import type { Statement } from '#platform/database';
import { IdentityProviders } from './identity-providers.js';
import { isRegistryId } from './id.js';
import { SP_COLUMNS } from './load-service-providers.js';
import type { IdentityProvider, ServiceProvider } from './types.js';

/** Who sends a SAML message: a service provider of the identity provider, or the identity provider itself. */
export type SamlParty = { kind: 'sp'; sp: ServiceProvider } | { kind: 'idp'; idp: IdentityProvider };

/** Longer ones are in no metadata. */
const LONGEST_ENTITY_ID = 1_024;

const FIND: Statement = {
  name: 'saml-party-find',
  text: `SELECT m.sp_id AS "spId", ${SP_COLUMNS}
    FROM saml_metadata m LEFT JOIN service_providers s ON s.id = m.sp_id
    WHERE m.idp_id = $1 AND m.entity_id = $2`,
};

/** The parties of an identity provider by their entityIDs. */
@Injectable()
export class SamlParties {
  constructor(
    private readonly database: Database,
    private readonly identityProviders: IdentityProviders,
  ) {}

  /**
   * Who has this entityID, compared character by character; null when nobody has. Not from memory: a certificate that was taken back is
   * not believed a second longer. A disabled SP is found, too: what that means is the caller's to say.
   * @see SLO-89, SLOX-16
   */
  async find(idpId: string, entityId: string): Promise<SamlParty | null> {
    // What Postgres cannot hold is nobody's entityID.
    if (!isRegistryId(idpId) || entityId.length > LONGEST_ENTITY_ID || /[\0\p{Cs}]/u.test(entityId)) return null;
    const [row] = await this.database.query<{ spId: string | null } & ServiceProvider>(FIND, [idpId, entityId]);
    if (!row) return null;
    const { spId, ...sp } = row;
    if (spId !== null) return { kind: 'sp', sp };
    const idp = await this.identityProviders.find(idpId);
    return idp?.saml ? { kind: 'idp', idp } : null;
  }
}
