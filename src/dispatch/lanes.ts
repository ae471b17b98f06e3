import type { Config } from '#platform/config';
import type { ServiceProvider } from '#registry';
import { Lane } from './lane.js';
import type { LaneSettings } from './lane.js';

type Settings = Pick<Config['dispatch'], 'laneConcurrency' | 'laneQueueFactor' | 'breakerFailures' | 'breakerOpenMs'>;

/** The lanes are crowded when more than this share of all places to wait is taken: then not one SP is slow, but there is more to send than we can. */
const CROWDED = 0.75;

/** All lanes of this worker. */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  private onRoom: (() => void) | null = null;

  constructor(private readonly settings: Settings) {}

  of(sp: Pick<ServiceProvider, 'id' | 'maxConcurrency' | 'maxPerSecond'>): Lane {
    const settings = this.settingsOf(sp);
    const lane = this.lanes.get(sp.id) ?? new Lane(settings, () => this.freed());
    lane.adjust(settings);
    this.lanes.set(sp.id, lane);
    return lane;
  }

  find(spId: string): Lane | undefined {
    return this.lanes.get(spId);
  }

  /** What is under way in it ends by itself. */
  forget(spId: string): void {
    this.lanes.delete(spId);
  }

  entries(): IterableIterator<[string, Lane]> {
    return this.lanes.entries();
  }

  /** SPs that nothing may be leased for now: their breaker is open or their lane is full. */
  blocked(now: number): string[] {
    return [...this.lanes].filter(([, lane]) => lane.isFull || lane.breaker.admits(now) === 'blocked').map(([spId]) => spId);
  }

  /** Waits while the lanes are crowded, but no longer than `limitMs`. One at a time may wait. */
  async untilRoom(limitMs: number): Promise<void> {
    if (!this.isCrowded()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.onRoom?.(), limitMs);
      this.onRoom = () => {
        clearTimeout(timer);
        this.onRoom = null;
        resolve();
      };
    });
  }

  private freed(): void {
    if (this.onRoom !== null && !this.isCrowded()) this.onRoom();
  }

  /** One slow SP among several does not make them crowded, however many wait for it. */
  private isCrowded(): boolean {
    let waiting = 0;
    let places = 0;
    for (const lane of this.lanes.values()) {
      waiting += Math.min(lane.waiting, lane.queueLimit);
      places += lane.queueLimit;
    }
    return waiting > places * CROWDED;
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
