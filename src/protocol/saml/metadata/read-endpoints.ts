import { BINDING_URI, NS } from '../terms.js';
import { SAML_BINDINGS } from '../types.js';
import type { SamlEndpoint } from '../types.js';
import { MetadataRefused } from './metadata-refused.js';
import { childrenOf } from './metadata-tree.js';

const MOST = 32;
const LONGEST = 2_048;
/** The URL parser drops or changes these without a word. */
const UNSEEN = /[\s\p{Cc}\p{Cs}\\]/u;

/** Its SingleLogoutService elements in document order; of bindings that are not ours (Artifact) it says nothing. @see SLO-70, SLO-72, SLO-73 */
export function readEndpoints(descriptor: Element): SamlEndpoint[] {
  const services = childrenOf(descriptor, NS.md, 'SingleLogoutService');
  if (services.length > MOST) {
    throw new MetadataRefused('document', 'SLO-70', `must have at most ${MOST} SingleLogoutService elements`, services.length);
  }
  return services.flatMap((service): SamlEndpoint[] => {
    const binding = SAML_BINDINGS.find((one) => BINDING_URI[one] === service.getAttribute('Binding'));
    if (binding === undefined) return [];
    const responseLocation = locationOf(service, 'ResponseLocation');
    return [
      {
        binding,
        location: locationOf(service, 'Location') ?? missing(),
        // Over SOAP the answer comes on the same connection. @see SLO-72
        ...(responseLocation === undefined || binding === 'soap' ? {} : { responseLocation }),
        ...(supportsAsynchronous(service) ? { supportsAsynchronous: true } : {}),
      },
    ];
  });
}

function locationOf(service: Element, attribute: 'Location' | 'ResponseLocation'): string | undefined {
  const text = service.getAttribute(attribute)?.trim() ?? '';
  if (text === '') return undefined;
  const fault = locationFault(text);
  if (fault !== null) throw new MetadataRefused('document', 'SLO-70', `SingleLogoutService ${attribute} ${fault}`, text);
  return text;
}

/** Whether http: may be called, and where to, is judged where it is known from where we call. */
function locationFault(text: string): string | null {
  if (text.length > LONGEST) return `must be at most ${LONGEST} characters long`;
  if (UNSEEN.test(text) || !/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return 'must be an absolute https URI';
  if (text.includes('#')) return 'must not have a fragment';
  const url = new URL(text);
  return url.username === '' && url.password === '' ? null : 'must not have a user name or password';
}

/** @see ASLO-4 */
function supportsAsynchronous(service: Element): boolean {
  return ['true', '1'].includes(service.getAttributeNS(NS.aslo, 'supportsAsynchronous')?.trim() ?? '');
}

function missing(): never {
  throw new MetadataRefused('document', 'SLO-70', 'must have a Location on each SingleLogoutService');
}
