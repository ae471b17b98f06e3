import { setTimeout as delay } from 'node:timers/promises';
import type { ExeuntProcess } from './exeunt-process.js';
import type { Stage } from './stage.js';

export const DISASTERS = ['worker killed', 'api killed', 'postgres restarted', 'postgres killed', 'redis emptied', 'redis killed'] as const;
export type Disaster = (typeof DISASTERS)[number];

/** What is done to the stage, and how often it was done. */
export class Disasters {
  readonly done: Record<Disaster, number> = {
    'worker killed': 0,
    'api killed': 0,
    'postgres restarted': 0,
    'postgres killed': 0,
    'redis emptied': 0,
    'redis killed': 0,
  };
  private nextWorker = 0;

  constructor(private readonly stage: Stage) {}

  /**
   * Does it, and returns when what was hit is started again.
   * @param graceMs so long a process is left in peace once it is ready; one that is killed at once does no work that could be lost.
   */
  async strike(disaster: Disaster, graceMs = 0, calm?: AbortSignal): Promise<void> {
    const { stage } = this;
    const victim = this.victimOf(disaster);
    await victim?.ready();
    await delay(graceMs, undefined, { signal: calm }).catch(() => undefined);
    if (calm?.aborted) return;
    switch (disaster) {
      case 'worker killed':
      case 'api killed':
        await victim?.kill();
        break;
      case 'postgres restarted':
        await stage.postgres.stop();
        await stage.postgres.startAgain();
        break;
      case 'postgres killed':
        await stage.postgres.kill();
        await stage.postgres.startAgain();
        break;
      case 'redis emptied':
        await stage.redis?.flush();
        break;
      case 'redis killed':
        await stage.redis?.kill();
        await stage.redis?.startAgain();
        break;
    }
    this.done[disaster]++;
  }

  private victimOf(disaster: Disaster): ExeuntProcess | undefined {
    if (disaster === 'api killed') return this.stage.apiProcess;
    if (disaster === 'worker killed') return this.stage.workers[this.nextWorker++ % this.stage.workers.length];
    return undefined;
  }
}
