import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { Agent } from 'undici';
import { freePorts } from '../e2e/demo/ports.mjs';
import { makeCertificate } from '../integration/egress-certificate.js';
import type { TestCertificate } from '../integration/egress-certificate.js';
import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';
import { Person } from './person.js';
import { startSamlIdp } from './saml-idp.js';
import type { IssuedNameId, Login, SamlIdp } from './saml-idp.js';
import { startShibboleth } from './shibboleth.js';
import type { Shibboleth } from './shibboleth.js';
import { startWire } from './wire.js';
import type { Wire } from './wire.js';

export interface Delivery {
  sp: string;
  outcome: string;
  attempts: { n: number; channel: string; result?: string; httpStatus?: number; jti?: string; error?: string }[];
}
export interface Logout {
  id: string;
  cause: string;
  initiator: string;
  verdict: string;
  deliveries: Delivery[];
}

/** How Exeunt tells Shibboleth. */
export interface Telling {
  bindings: ('soap' | 'redirect' | 'post')[];
  encryptNameId?: boolean;
  allowSha1?: boolean;
}

export const IDP = 'acme';
/** How long the one who asks waits for the others. */
export const ANSWER_WITHIN_MS = 1_500;
/** An application by OIDC, beside Shibboleth. */
export const RP = 'rp';

/**
 * A Shibboleth SP, its identity provider, and Exeunt between them. Shibboleth is at https://localhost, Exeunt at https://127.0.0.1: two sites, as in life,
 * of which a browser keeps the cookies apart.
 */
export class ShibbolethWorld {
  /** Shibboleth, as Exeunt knows it. */
  sp = '';
  private readonly agents: Agent[] = [];
  private telling = '';

  private constructor(
    readonly service: Service,
    readonly idp: SamlIdp,
    readonly shibboleth: Shibboleth,
    /** From the browser and from Shibboleth to Exeunt: TLS ends there. */
    readonly front: Wire,
    /** From Exeunt to Shibboleth: TLS begins there. */
    readonly back: Wire,
    readonly sink: SpSink,
    private readonly authority: TestCertificate,
    private readonly apiKey: string,
  ) {}

  static async start(): Promise<ShibbolethWorld> {
    const authority = makeCertificate({ commonName: 'Test authority' });
    const tls = makeCertificate({ commonName: 'localhost', altNames: ['localhost', '127.0.0.1'], issuer: authority });
    const [[port], front, back, sink, idp] = await Promise.all([
      freePorts(1),
      startWire({ tls }),
      startWire({ ca: authority.cert }),
      startSpSink(),
      startSamlIdp('https://login.acme.example/saml'),
    ]);
    const publicUrl = `https://127.0.0.1:${front.port}`;
    const service = await startService({
      publicUrl,
      saml: { soapAnswerWithinMs: ANSWER_WITHIN_MS },
      browser: { answerWithinMs: ANSWER_WITHIN_MS },
    });
    front.leadTo(service.url);
    const registered = await service.call<{ apiKey: string }>('POST', '/v1/identity-providers', {
      id: IDP,
      name: 'ACME sign-in',
      saml: { metadataXml: idp.metadata },
      oidc: { issuer: 'https://login.acme.example', jwks: { keys: [] } },
    });
    expect(registered).toMatchObject({ status: 201 });
    const origin = `https://localhost:${port}`;
    const site = {
      origin,
      entityId: `${origin}/shibboleth`,
      idpEntityId: idp.entityId,
      idpMetadata: `${publicUrl}/idps/${IDP}/saml/metadata`,
    };
    const shibboleth = await startShibboleth(site, { ...tls, authority: authority.cert });
    back.leadTo(origin);
    const world = new ShibbolethWorld(service, idp, shibboleth, front, back, sink, authority, registered.body.apiKey);
    idp.onLogin = (login) => world.report(login);
    await world.register();
    return world;
  }

  private async register(): Promise<void> {
    await this.tell({ bindings: ['soap'] });
    const channels = [{ type: 'oidc-backchannel', clientId: RP, uri: this.sink.uri(RP), signingAlg: 'ES256' }];
    await this.done(201, 'POST', '/v1/service-providers', { id: RP, name: RP, idp: IDP, layer: 'sp', channels });
  }

  /** From now on Exeunt tells Shibboleth so. As another SP each time: what is known of one stays in memory for a second. */
  async tell(telling: Telling): Promise<void> {
    if (JSON.stringify(telling) === this.telling) return;
    if (this.sp !== '') await this.done(204, 'DELETE', `/v1/service-providers/${this.sp}`);
    const channels = [{ type: 'saml', metadataXml: await this.spMetadata(), ...telling }];
    const id = `wiki-${randomUUID()}`;
    await this.done(201, 'POST', '/v1/service-providers', { id, name: 'Wiki', idp: IDP, layer: 'sp', channels });
    this.sp = id;
    this.telling = JSON.stringify(telling);
  }

  /** As Shibboleth shows it, but for SOAP, which goes over the wire. */
  private async spMetadata(): Promise<string> {
    const { body } = await this.person('registrar').visit(this.shibboleth.handler('/Metadata'));
    const soap = this.shibboleth.handler('/SLO/SOAP');
    expect(body).toContain(`"${soap}"`);
    return body.replace(`"${soap}"`, `"http://127.0.0.1:${this.back.port}${new URL(soap).pathname}"`);
  }

  /** Somebody with a browser of their own. */
  person(name: string): Person {
    return new Person(name, this.agent());
  }

  agent(): Agent {
    const agent = new Agent({ connect: { ca: this.authority.cert } });
    this.agents.push(agent);
    return agent;
  }

  loginOf(user: string): Login {
    return this.idp.logins.filter((login) => login.user === user).at(-1)!;
  }

  /** The identity provider reports a NameID as it stands in the assertion; it might do that wrongly. */
  nameIdToReport = (nameId: IssuedNameId): Partial<IssuedNameId> => nameId;

  private async report({ sid, user, nameId: issued, sessionIndex }: Login): Promise<void> {
    const nameId = this.nameIdToReport(issued);
    await this.post(
      { type: 'session.started', handles: { sid, sub: user } },
      { type: 'session.joined', parent: { sid }, sp: this.sp, handles: { nameId, sessionIndex } },
    );
  }

  /** The same person signs in at the application beside. */
  async joinRp(user: string): Promise<string> {
    const sid = `rp-${randomUUID()}`;
    await this.post({ type: 'session.joined', parent: { sid: this.loginOf(user).sid }, sp: RP, handles: { sid, sub: user } });
    return sid;
  }

  /** As the identity provider. */
  async post(...events: Record<string, unknown>[]): Promise<{ status: string; logoutId?: string }[]> {
    const body = { events: events.map((event) => ({ id: randomUUID(), idp: IDP, ...event })) };
    const answer = await this.service.call<{ results: { status: string; logoutId?: string }[] }>('POST', '/v1/events', body, {
      token: this.apiKey,
    });
    expect(answer).toMatchObject({ status: 202, body: { results: events.map(() => ({ status: 'accepted' })) } });
    return answer.body.results;
  }

  /** The operator ends that person's session. @returns the logout's ID */
  async begin(user: string): Promise<string> {
    const target = { idp: IDP, sid: this.loginOf(user).sid };
    const { id } = await this.done<{ id: string }>(202, 'POST', '/v1/logouts', { target, cause: 'admin', reason: 'interoperability' });
    return id;
  }

  read = async (id: string) => (await this.service.call<Logout>('GET', `/v1/logouts/${id}`)).body;

  final = (id: string) =>
    eventually(
      () => this.read(id),
      ({ verdict }) => verdict !== 'pending',
    );

  end = async (user: string) => this.final(await this.begin(user));

  /** The newest logout that ended a session of that person. */
  async logoutOf(user: string): Promise<Logout> {
    const { body } = await this.service.call<{ items: { id: string }[] }>('GET', `/v1/logouts?q=${user}&limit=1`);
    return this.read(body.items[0]!.id);
  }

  async done<Body>(status: number, method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.service.call<Body>(method, path, body);
    expect(answer).toMatchObject({ status });
    return answer.body;
  }

  async stop(): Promise<void> {
    await this.shibboleth.remove();
    await Promise.all(this.agents.map((agent) => agent.close()));
    await Promise.all([this.front.close(), this.back.close(), this.idp.close(), this.sink.close()]);
    await this.service.stop();
  }
}
