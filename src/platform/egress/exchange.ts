import type { Dispatcher } from 'undici';
import { EgressFault, faultOf } from './fault.js';

/** One request on its way out, already judged as far as that needs no resolver. */
export interface ExchangeRequest {
  origin: string;
  path: string;
  method: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  timeoutMs: number;
  limitBytes: number;
  signal?: AbortSignal;
}

export interface Exchanged {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** The body was longer than the limit; the rest was not read and the connection is gone. */
  truncated: boolean;
}

/**
 * Sends and collects, straight on the dispatcher: no stream objects for answers that are a few bytes long.
 * One timer covers the wait for a free socket, resolution, connection, sending and the last byte.
 * Rejects with {@link EgressFault}, or with the reason of the signal.
 */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const collector = new Collector(request, resolve, reject);
    dispatcher.dispatch(
      { origin: request.origin, path: request.path, method: request.method, headers: request.headers, body: request.body },
      collector,
    );
  });
}

class Collector implements Dispatcher.DispatchHandler {
  private readonly timer: NodeJS.Timeout;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private status = 0;
  private headers: Record<string, string> = {};
  private controller?: Dispatcher.DispatchController;
  private settled = false;

  constructor(
    private readonly request: ExchangeRequest,
    private readonly resolve: (exchanged: Exchanged) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(this.onTimeout, request.timeoutMs);
    request.signal?.addEventListener('abort', this.onAbort, { once: true });
    if (request.signal?.aborted) this.onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // Given up while it waited for a socket: it must not be sent any more, nobody would read the answer.
    if (this.settled) controller.abort(new EgressFault('timeout', 'given up before it was sent'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.status = status;
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined) this.headers[name] = typeof value === 'string' ? value : value.join(', ');
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    const room = this.request.limitBytes - this.size;
    if (chunk.length <= room) {
      this.chunks.push(chunk);
      this.size += chunk.length;
      return;
    }
    this.chunks.push(chunk.subarray(0, room));
    this.finish(true);
    this.stop(new EgressFault('protocol', `body longer than ${this.request.limitBytes} bytes`));
  }

  onResponseEnd(): void {
    this.finish(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.fail(faultOf(error));
  }

  private readonly onTimeout = (): void => {
    const seen = this.status === 0 ? 'no response' : `response ${this.status} not complete`;
    this.fail(new EgressFault('timeout', `${seen} within ${this.request.timeoutMs} ms`));
  };

  private readonly onAbort = (): void => {
    this.fail(this.request.signal?.reason as Error);
  };

  private finish(truncated: boolean): void {
    if (!this.settle()) return;
    const only = this.chunks.length === 1 ? this.chunks[0] : undefined;
    this.resolve({ status: this.status, headers: this.headers, body: only ?? Buffer.concat(this.chunks), truncated });
  }

  private fail(error: Error): void {
    if (!this.settle()) return;
    this.reject(error);
    this.stop(error);
  }

  private stop(reason: Error): void {
    this.controller?.abort(reason);
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    clearTimeout(this.timer);
    this.request.signal?.removeEventListener('abort', this.onAbort);
    return true;
  }
}
