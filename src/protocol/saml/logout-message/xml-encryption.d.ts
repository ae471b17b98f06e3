/** The one function of it that is used here; the package has no types. */
declare module 'xml-encryption' {
  /** Unwraps the key of the EncryptedKey in a KeyInfo. @throws Error when it cannot. */
  export function decryptKeyInfo(keyInfo: string, options: { key: string }): Buffer;
}
