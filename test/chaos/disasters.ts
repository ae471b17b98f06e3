import { until } from '../support/process.js';
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

  /** Does it, and returns when what was hit is started again; a process is hit only once it has been ready. */
  async strike(disaster: Disaster): Promise<void> {
    const { stage } = this;
    switch (disaster) {
      case 'worker killed':
        await killWhenReady(stage.workers[this.nextWorker++ % stage.workers.length]!);
        break;
      case 'api killed':
        await killWhenReady(stage.apiProcess);
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
}

async function killWhenReady(victim: ExeuntProcess): Promise<void> {
  await victim.ready();
  await until(() => victim.isReady, `${victim.role} is ready`);
  await victim.kill();
}
