import type { SamlBinding } from '#protocol/saml';

/**
 * Where peers of an identity provider reach our single logout, by binding. What is published and what an arriving message's Destination
 * is held against come from here alone, never from the Host header.
 * @param publicUrl without a slash at its end.
 * @see SLOX-15
 */
export function sloEndpointsOf(publicUrl: string, idpId: string): Record<SamlBinding, string> {
  const front = `${publicUrl}/saml/slo/${encodeURIComponent(idpId)}`;
  return { redirect: front, post: front, soap: `${front}/soap` };
}
