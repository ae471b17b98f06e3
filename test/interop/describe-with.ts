import { describe, it } from '@jest/globals';
import type { Product } from './products.js';

/** A suite against such a product. Without it one skipped test says so, and with `CI=true` that is a failure. */
export function describeWith(product: Product, name: string, suite: () => void): void {
  if (product.version() !== null) {
    describe(name, suite);
    return;
  }
  const lack = `no ${product.name} on this machine (Debian: apt-get install ${product.packages})`;
  describe(name, () => {
    if (process.env.CI === 'true') {
      it(`needs ${product.name}`, () => {
        throw new Error(`"${name}" cannot be run, there is ${lack}; with CI=true nothing is left out`);
      });
    } else {
      it.skip(`left out: ${lack}`, () => undefined);
    }
  });
}
