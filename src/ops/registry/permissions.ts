import type { Caller } from '#access';
import { ExeuntError } from '#domain';
import type { ServiceProvider } from '#registry';

/** An administrator, or that very identity provider. @throws ExeuntError `forbidden` */
export function mayReachIdp(caller: Caller, idpId: string): void {
  if (caller.kind === 'admin' || (caller.kind === 'idp' && caller.idpId === idpId)) return;
  throw new ExeuntError('forbidden', `This key is not for the identity provider ${idpId}`);
}

/** An administrator, its identity provider, or that very service provider. @throws ExeuntError `forbidden` */
export function mayReachSp(caller: Caller, sp: Pick<ServiceProvider, 'id' | 'idp'>): void {
  if (caller.kind === 'admin') return;
  if (caller.kind === 'idp' && caller.idpId === sp.idp) return;
  if (caller.kind === 'sp' && caller.spId === sp.id) return;
  throw new ExeuntError('forbidden', `This key is not for the service provider ${sp.id}`);
}
