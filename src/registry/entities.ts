import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SamlEntity } from '#protocol/saml';
import type { ChannelConfig, OidcIdentity, SamlIdentity, ServiceProvider } from './types.js';

@Entity('identity_providers')
export class IdentityProviderEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  name!: string;

  @Column('jsonb', { nullable: true })
  oidc!: OidcIdentity | null;

  @Column('jsonb', { nullable: true })
  saml!: SamlIdentity | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}

@Entity('service_providers')
export class ServiceProviderEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text', { name: 'idp_id' })
  idp!: string;

  @Column('text')
  name!: string;

  @Column('text')
  layer!: ServiceProvider['layer'];

  @Column('jsonb')
  channels!: ChannelConfig[];

  @Column('jsonb', { nullable: true })
  saml!: SamlEntity | null;

  @Column('jsonb', { name: 'post_logout_redirect_uris' })
  postLogoutRedirectUris!: string[];

  @Column('integer', { name: 'timeout_ms', nullable: true })
  timeoutMs!: number | null;

  @Column('integer', { name: 'max_concurrency', nullable: true })
  maxConcurrency!: number | null;

  @Column('integer', { name: 'max_per_second', nullable: true })
  maxPerSecond!: number | null;

  @Column('boolean', { name: 'may_end_root' })
  mayEndRoot!: boolean;

  @Column('boolean')
  enabled!: boolean;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}

/** What the DataSource has to know of the registry. */
export const REGISTRY_ENTITIES = [IdentityProviderEntity, ServiceProviderEntity];
