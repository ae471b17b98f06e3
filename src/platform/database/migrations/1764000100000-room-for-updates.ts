import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pages with room for the updates that each row sees within moments of its birth: a delivery is leased and settled, an event gets its result.
 * An update that finds room in its page touches no index (HOT); without room it writes to every index of its table.
 * Attempts have theirs from their partitions (src/ledger/partitions.ts).
 */
export class RoomForUpdates1764000100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries SET (fillfactor = 45)');
    await runner.query('ALTER TABLE intake_events SET (fillfactor = 50)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deliveries SET (fillfactor = 60)');
    await runner.query('ALTER TABLE intake_events RESET (fillfactor)');
  }
}
