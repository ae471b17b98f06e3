/** The form of the ids of identity providers and service providers. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether there can be anything with this id. */
export function isRegistryId(text: string): boolean {
  return ID.test(text);
}
