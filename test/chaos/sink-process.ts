import { join } from 'node:path';
import type { Watched } from '../support/process.js';
import { spawnTypeScript } from './spawn-typescript.js';

/** A logout token that came to an SP. */
export interface Token {
  sp: string;
  jti: string;
  sid: string;
  /** What it was answered with, or would have been, had the sender waited. */
  status: number;
  answered: boolean;
}

/** How the SPs behave. */
export interface Moods {
  /** Share that is answered with 500. */
  failing: number;
  /** Share that is answered late, by half to one and a half times `slowMs`. */
  slow: number;
  slowMs: number;
  /** SPs that answer only when the moods change. */
  hanging: string[];
}

/** The service providers' side, seen from the test. */
export class Sink {
  private constructor(
    private readonly process: Watched,
    readonly url: string,
  ) {}

  static async start(): Promise<Sink> {
    const process = spawnTypeScript(join('test', 'chaos', 'sink.ts'));
    const [, port] = await process.says(/^ready (\d+)$/m);
    return new Sink(process, `http://127.0.0.1:${port}`);
  }

  uriOf(sp: string): string {
    return `${this.url}/sp/${sp}`;
  }

  async behave(moods: Partial<Moods>): Promise<void> {
    const body = JSON.stringify({ failing: 0, slow: 0, slowMs: 0, hanging: [], ...moods });
    const response = await fetch(`${this.url}/moods`, { method: 'PUT', body });
    if (!response.ok) throw new Error(`the sink answered ${response.status}`);
  }

  async count(): Promise<number> {
    return Number(await (await fetch(`${this.url}/count`)).text());
  }

  async tokens(): Promise<Token[]> {
    const text = await (await fetch(`${this.url}/log`)).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Token);
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
  }
}
