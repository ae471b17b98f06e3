import type { FastifyInstance } from 'fastify';

/** Which methods a path has: what a 405 names in `Allow`. */
export class RouteTable {
  private readonly methods = new Map<string, Set<string>>();

  /** Listens for routes; call it before any is added. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      const known = this.methods.get(route.url) ?? new Set();
      for (const method of [route.method].flat()) known.add(method);
      this.methods.set(route.url, known);
    });
  }

  methodsAt(path: string): string[] {
    const seen = path.split('/');
    const found = new Set<string>();
    for (const [pattern, methods] of this.methods) {
      if (matches(pattern.split('/'), seen)) for (const method of methods) found.add(method);
    }
    return [...found].sort();
  }
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.length !== path.length || pattern.includes('*')) return false;
  return pattern.every((part, at) => (part.startsWith(':') ? path[at] !== '' : part === path[at]));
}
