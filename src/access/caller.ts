/** Who calls. `id` names the credential (key id, or issuer and subject), never shows it. */
export type Caller = { kind: 'admin'; id: string } | { kind: 'idp'; idpId: string; id: string } | { kind: 'sp'; spId: string; id: string };

export type CallerKind = Caller['kind'];

/** For log lines and rate limits, e.g. `idp:acme:4f2a...`. */
export function nameOfCaller(caller: Caller): string {
  switch (caller.kind) {
    case 'admin':
      return `admin:${caller.id}`;
    case 'idp':
      return `idp:${caller.idpId}:${caller.id}`;
    case 'sp':
      return `sp:${caller.spId}:${caller.id}`;
  }
}
