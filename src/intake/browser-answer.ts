/** What a person's browser is sent away with: a URL, or a form that is sent by itself or by a button. @see SLO-40, SLO-47 */
export type BrowserAnswer =
  { method: 'redirect'; url: string } | { method: 'post'; action: string; fields: { name: string; value: string }[] };
