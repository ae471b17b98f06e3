/** The parts of the demo that these tests use too; the demo itself is plain JavaScript. */
declare module '*/cookie-jar.mjs' {
  export class CookieJar {
    store(url: URL, setCookies: string[]): void;
    header(url: URL): string;
  }
}

declare module '*/html-form.mjs' {
  export function firstForm(html: string): { action: string; method: 'get' | 'post'; fields: Record<string, string> } | undefined;
}

declare module '*/ports.mjs' {
  export function freePorts(count: number): Promise<number[]>;
}
