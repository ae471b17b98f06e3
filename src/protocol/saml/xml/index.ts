export { parseStrictXml } from './parse-strict-xml.js';
export { MESSAGE_LIMITS, type XmlLimits } from './xml-limits.js';
export { canonicalXml, standAlone } from './canonical-xml.js';
export * from './read-element.js';
