import type { Database } from '#platform/database';
import { loadServiceProviders } from '#registry';
import type { ServiceProvider } from '#registry';

const FRESH_MS = 1_000;

/**
 * The registrations of SPs, as they were at most a second ago: dispatch needs them for every delivery, and they change rarely.
 */
export class SpDirectory {
  private readonly cache = new Map<string, { sp: ServiceProvider; at: number }>();

  constructor(private readonly database: Database) {}

  async load(ids: readonly string[]): Promise<Map<string, ServiceProvider>> {
    const now = Date.now();
    const stale = [...new Set(ids)].filter((id) => now - (this.cache.get(id)?.at ?? 0) >= FRESH_MS);
    const loaded = await loadServiceProviders(this.database, stale);
    for (const id of stale) {
      const sp = loaded.get(id);
      if (sp) this.cache.set(id, { sp, at: now });
      else this.cache.delete(id);
    }
    return new Map(ids.flatMap((id) => (this.cache.has(id) ? [[id, this.cache.get(id)!.sp] as const] : [])));
  }
}
