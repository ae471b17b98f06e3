import pg from 'pg';

let isDone = false;

/**
 * From now on every connection of this process has somebody who listens to its errors, from its first moment on.
 *
 * A pool, TypeORM and BullMQ listen themselves, but each a moment after the connection is made: should the server die in that very moment, its last word
 * comes in the same packet as its first, nobody listens yet, and an error that nobody listens to ends the process (seen with pg 8.23). Who waits for the
 * connection learns of its end in any case, by the failure of his first statement.
 */
export function listenForErrors(): void {
  if (isDone) return;
  isDone = true;
  const prototype = pg.Client.prototype as unknown as { connect: (this: pg.Client, ...args: unknown[]) => unknown };
  const { connect } = prototype;
  prototype.connect = function (...args) {
    this.on('error', () => undefined);
    return connect.apply(this, args);
  };
}
