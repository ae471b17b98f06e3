/** How much a document may be. Whatever is beyond is refused before a tree is built of it. @see SLO-81, SLOX-17 */
export interface XmlLimits {
  /** Of the whole text in UTF-8. */
  bytes: number;
  /** Elements inside one another; the root counts as 1. */
  depth: number;
  elements: number;
  /** Different names of elements: the parser looks through the whole text for each of them. */
  names: number;
  /** Of all elements together, namespace declarations included. */
  attributes: number;
  attributesOfOneElement: number;
  /**
   * Documents that people write (metadata) have comments; they are taken out of the tree, and the text around them is one text. In a
   * message there must be none. @see SLOX-12
   */
  comments: 'refuse' | 'drop';
}

/**
 * The limits of a SAML message. A logout request has about twenty elements, and one for each session: anyone can send a larger one, without
 * any key, and everybody else waits while it is read.
 */
export const MESSAGE_LIMITS: XmlLimits = {
  bytes: 256 * 1024,
  depth: 100,
  elements: 1_000,
  names: 100,
  attributes: 3_000,
  attributesOfOneElement: 100,
  comments: 'refuse',
};
