import type { SamlRole } from '#protocol/saml';

/** Where metadata comes from and what is wanted of it, as registered. */
export interface MetadataSource {
  role: SamlRole;
  /** Uploaded; else `url` is there. */
  xml?: string | undefined;
  url?: string | undefined;
  entityId?: string | undefined;
  certificates?: readonly string[] | undefined;
  allowSha1: boolean;
}

/** The members of a registration that say where metadata comes from. */
export interface MetadataMembers {
  metadataXml?: string | undefined;
  metadataUrl?: string | undefined;
  entityId?: string | undefined;
  metadataCertificates?: readonly string[] | undefined;
  allowSha1: boolean;
}

export function sourceOf(role: SamlRole, members: MetadataMembers): MetadataSource {
  const { metadataXml: xml, metadataUrl: url, entityId, metadataCertificates: certificates, allowSha1 } = members;
  return { role, xml, url, entityId, certificates, allowSha1 };
}
