import { idpMetadata } from '../support/idp-metadata.js';
import { idpBody } from './registry-app.js';
import type { RegistryApp } from './registry-app.js';

export interface SamlIdp {
  id: string;
  apiKey: string;
  entityId: string;
}

/** An identity provider with a SAML side, but without SAML keys: as one whose keys are made when they are wanted first. */
export async function newSamlIdp(registry: RegistryApp): Promise<SamlIdp> {
  const body = idpBody();
  const made = await registry.call('POST', '/v1/identity-providers', { body });
  if (made.status !== 201) throw new Error(made.text);
  const entityId = `https://${body.id}.example.com/saml`;
  const entity = {
    entityId,
    singleLogoutServices: [],
    signingCertificates: [],
    encryptionKeys: [],
    validUntil: '2999-01-01T00:00:00.000Z',
  };
  const saml = { entity, participantEntityId: `https://exeunt.example.com/idps/${body.id}`, allowSha1: false };
  await registry.database.query('UPDATE identity_providers SET saml = $2 WHERE id = $1', [body.id, JSON.stringify(saml)]);
  await registry.database.query('INSERT INTO saml_metadata (idp_id, entity_id, xml, fetched_at) VALUES ($1, $2, $3, now())', [
    body.id,
    entityId,
    idpMetadata({ entityId }),
  ]);
  return { id: body.id, apiKey: made.json.apiKey as string, entityId };
}
