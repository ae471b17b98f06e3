const KEPT = 512;

/** TLS sessions to resume, so that a reconnect to the same SP costs no full handshake. The oldest go first. */
export class TlsSessions {
  private readonly byPeer = new Map<string, Buffer>();

  get(host: string, port: number): Buffer | undefined {
    return this.byPeer.get(`${host}:${port}`);
  }

  set(host: string, port: number, session: Buffer): void {
    const peer = `${host}:${port}`;
    this.byPeer.delete(peer);
    this.byPeer.set(peer, session);
    const oldest = this.byPeer.keys().next();
    if (this.byPeer.size > KEPT && !oldest.done) this.byPeer.delete(oldest.value);
  }
}
