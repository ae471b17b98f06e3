import type { Config } from '#platform/config';
import type { ServiceProvider } from '#registry';
import { Lane } from './lane.js';
import type { LaneSettings } from './lane.js';

type Settings = Pick<Config['dispatch'], 'laneConcurrency' | 'laneQueueFactor' | 'breakerFailures' | 'breakerOpenMs'>;

/** All lanes of this worker. */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly settings: Settings) {}

  of(sp: Pick<ServiceProvider, 'id' | 'maxConcurrency' | 'maxPerSecond'>): Lane {
    const settings = this.settingsOf(sp);
    const lane = this.lanes.get(sp.id) ?? new Lane(settings);
    lane.adjust(settings);
    this.lanes.set(sp.id, lane);
    return lane;
  }

  find(spId: string): Lane | undefined {
    return this.lanes.get(spId);
  }

  entries(): IterableIterator<[string, Lane]> {
    return this.lanes.entries();
  }

  /** SPs that nothing may be leased for now: their breaker is open or their lane is full. */
  blocked(now: number): string[] {
    return [...this.lanes].filter(([, lane]) => lane.isFull || lane.breaker.admits(now) === 'blocked').map(([spId]) => spId);
  }

  private settingsOf(sp: Pick<ServiceProvider, 'maxConcurrency' | 'maxPerSecond'>): LaneSettings {
    const concurrency = sp.maxConcurrency ?? this.settings.laneConcurrency;
    return {
      concurrency,
      perSecond: sp.maxPerSecond,
      queueLimit: concurrency * this.settings.laneQueueFactor,
      breakerFailures: this.settings.breakerFailures,
      breakerOpenMs: this.settings.breakerOpenMs,
    };
  }
}
