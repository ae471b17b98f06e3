import { SaxesParser } from 'saxes';
import type { SaxesTagNS } from 'saxes';
import { NS } from '../terms.js';
import { MetadataRefused } from './metadata-refused.js';
import { least, parseCacheDuration, parseValidUntil } from './metadata-times.js';

/** Where an EntityDescriptor stands in a document, and what those around it say of it. */
export interface FoundEntity {
  entityId: string;
  /** Of its text in the document. */
  start: number;
  end: number;
  /** Prefixes (an empty one for the default) that are in scope there but not declared on the element itself. */
  namespaces: [prefix: string, uri: string][];
  /** The earliest of its own and those around it. Milliseconds. @see SLO-75 */
  validUntil: number | null;
  cacheDurationMs: number | null;
  /** It has a signature of its own. */
  signed: boolean;
  elements: number;
}

/** What is in a document, as far as one pass over it can tell that keeps nothing but this. */
export interface MetadataOutline {
  /** Local name of the root. */
  root: 'EntityDescriptor' | 'EntitiesDescriptor';
  /** The root has a signature: the whole document is signed. */
  rootSigned: boolean;
  /** The entity that is wanted: the named one, or the first when none was named. */
  entity: FoundEntity | null;
  /** Entities in all. */
  count: number;
  /** The first few of their entityIDs. */
  firstIds: string[];
}

/** So much at a time: a few milliseconds. Characters. */
const SLICE = 64 * 1024;
const MOST_DEPTH = 100;
const MOST_ATTRIBUTES = 200;
/** Ten MB of real metadata have a fifth of these; what has more is there to fill the memory of whoever makes a tree of it. */
const MOST_ELEMENTS = 500_000;
const FIRST_IDS = 5;
const LONGEST_ENTITY_ID = 1_024;
const ASCII_SUPERSETS = /^(utf-8|us-ascii|ascii)$/i;

interface Frame {
  namespaces: Map<string, string>;
  validUntil: number | null;
  cacheDurationMs: number | null;
}

/**
 * Walks over a document in slices, from the root through nested EntitiesDescriptors, and finds the wanted entity. Between the slices the
 * caller may let others run. It is also the judge of the XML: well-formed, UTF-8, no DOCTYPE (so no entities), no processing
 * instructions, not too deep. Comments and CDATA are common in metadata and harmless here: nothing reads the first text node alone.
 * @throws MetadataRefused
 */
export function* outlineMetadata(xml: string, entityId?: string): Generator<void, MetadataOutline> {
  const walk = new Walk(xml, entityId);
  for (let at = 0; at < xml.length; at += SLICE) {
    walk.parser.write(xml.slice(at, at + SLICE));
    yield;
  }
  walk.parser.close();
  return walk.outline!;
}

class Walk {
  readonly parser = new SaxesParser({ xmlns: true });
  outline: MetadataOutline | null = null;
  private depth = 0;
  private elements = 0;
  /** Of the EntitiesDescriptors that are open, from the root on. */
  private readonly frames: Frame[] = [];
  /** The EntityDescriptor that is open, wanted or not, and at which depth. */
  private open: { entity: FoundEntity; depth: number; wanted: boolean } | null = null;

  constructor(
    private readonly xml: string,
    private readonly wantedId: string | undefined,
  ) {
    const { parser } = this;
    parser.on('error', (error) => refuse('SLO-75', 'must be well-formed XML', error.message));
    parser.on('doctype', () => refuse('SLOX-11', 'must not have a DOCTYPE'));
    parser.on('processinginstruction', ({ target }) => refuse('SLOX-12', 'must not have processing instructions', `<?${target}`));
    parser.on('xmldecl', ({ encoding, version }) => {
      if (version !== undefined && version !== '1.0') refuse('SLOX-17', 'must be XML 1.0', version);
      if (encoding !== undefined && !ASCII_SUPERSETS.test(encoding)) refuse('SLOX-17', 'must be in UTF-8', encoding);
    });
    parser.on('opentag', (tag) => this.opened(tag));
    parser.on('closetag', () => this.closed());
  }

  private opened(tag: SaxesTagNS): void {
    this.depth++;
    this.elements++;
    if (this.depth > MOST_DEPTH) refuse('SLOX-17', `must not be nested deeper than ${MOST_DEPTH} elements`);
    if (this.elements > MOST_ELEMENTS) refuse('SLOX-17', `must have at most ${MOST_ELEMENTS} elements`);
    if (Object.keys(tag.attributes).length > MOST_ATTRIBUTES) {
      refuse('SLOX-17', `must not have elements of more than ${MOST_ATTRIBUTES} attributes`, `<${tag.name}>`);
    }
    if (tag.uri === NS.ds && tag.local === 'Signature') this.sawSignature();
    const isEntities = tag.uri === NS.md && tag.local === 'EntitiesDescriptor';
    const isEntity = tag.uri === NS.md && tag.local === 'EntityDescriptor';
    if (this.depth === 1) {
      if (!isEntities && !isEntity) {
        refuse(
          'SLO-70',
          'must be an EntityDescriptor or EntitiesDescriptor of SAML 2.0 metadata',
          `<${tag.name}> of ${tag.uri || 'no namespace'}`,
        );
      }
      this.outline = {
        root: isEntity ? 'EntityDescriptor' : 'EntitiesDescriptor',
        rootSigned: false,
        entity: null,
        count: 0,
        firstIds: [],
      };
    }
    // What stands in Extensions, or anywhere but in the line of EntitiesDescriptors, is no entity of this document.
    if (this.frames.length !== this.depth - 1) return;
    if (isEntities) this.frames.push(this.frameOf(tag));
    else if (isEntity) this.openedEntity(tag);
  }

  private sawSignature(): void {
    if (this.depth === 2) this.outline!.rootSigned = true;
    if (this.open?.depth === this.depth - 1) this.open.entity.signed = true;
  }

  private openedEntity(tag: SaxesTagNS): void {
    const outline = this.outline!;
    const entityId = attributeOf(tag, 'entityID');
    if (entityId === undefined) refuse('SLO-70', 'must have an entityID on each EntityDescriptor');
    const wanted = this.wantedId === undefined ? outline.count === 0 : entityId === this.wantedId;
    if (wanted && outline.entity) refuse('SLO-75', 'must have each entityID once', entityId);
    outline.count++;
    if (outline.firstIds.length < FIRST_IDS) outline.firstIds.push(entityId.slice(0, LONGEST_ENTITY_ID));
    const { namespaces, validUntil, cacheDurationMs } = this.frameOf(tag);
    const own = new Set(Object.keys(tag.ns ?? {}));
    const entity: FoundEntity = {
      entityId,
      start: this.xml.lastIndexOf('<', this.parser.position - 1),
      end: -1,
      namespaces: [...namespaces].filter(([prefix]) => !own.has(prefix)),
      validUntil,
      cacheDurationMs,
      signed: false,
      elements: this.elements,
    };
    this.open = { entity, depth: this.depth, wanted };
    if (wanted) outline.entity = entity;
  }

  private frameOf(tag: SaxesTagNS): Frame {
    const around = this.frames.at(-1);
    return {
      namespaces: new Map([...(around?.namespaces ?? []), ...Object.entries(tag.ns ?? {})]),
      validUntil: least(around?.validUntil ?? null, parseValidUntil(attributeOf(tag, 'validUntil'))),
      cacheDurationMs: least(around?.cacheDurationMs ?? null, parseCacheDuration(attributeOf(tag, 'cacheDuration'))),
    };
  }

  private closed(): void {
    if (this.open?.depth === this.depth) {
      const { entity } = this.open;
      entity.end = this.parser.position;
      entity.elements = this.elements - entity.elements + 1;
      this.open = null;
    } else if (this.frames.length === this.depth) this.frames.pop();
    this.depth--;
  }
}

function attributeOf(tag: SaxesTagNS, name: string): string | undefined {
  return tag.attributes[name]?.value;
}

function refuse(clause: string, rule: string, seen?: string): never {
  throw new MetadataRefused('document', clause, rule, seen);
}
