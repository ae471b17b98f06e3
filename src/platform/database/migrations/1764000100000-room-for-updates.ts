import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pages with room for the updates that each row sees within moments of its birth: a delivery is leased and settled, an event gets its result.
 * An update that finds room in its page touches no index (HOT); without room it writes to every index of its table.
 * Attempts have theirs from their partitions (src/ledger/partitions.ts).
 *
 * And no index on what such an update changes, for that takes the room's use away: when a session ended was in a B-tree, so every ending wrote to
 * every index of the sessions. A BRIN index does not stand in the way (since PostgreSQL 16), and is enough for retention, which reads whole ranges.
 */
export class RoomForUpdates1764000100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries SET (fillfactor = 45)');
    await runner.query('ALTER TABLE intake_events SET (fillfactor = 50)');
    await runner.query('ALTER TABLE sessions SET (fillfactor = 70)');
    await runner.query('DROP INDEX sessions_ended');
    await runner.query('CREATE INDEX sessions_ended ON sessions USING brin (ended_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries SET (fillfactor = 60)');
    await runner.query('ALTER TABLE intake_events RESET (fillfactor)');
    await runner.query('ALTER TABLE sessions SET (fillfactor = 90)');
    await runner.query('DROP INDEX sessions_ended');
    await runner.query(`CREATE INDEX sessions_ended ON sessions (ended_at) WHERE state = 'ended'`);
  }
}
