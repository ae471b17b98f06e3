import type { ServerChannel } from '#channels';
import type { ChannelType } from '#domain';

/** The server channels that this build has, by type. */
export class ChannelTable {
  private readonly channels: ReadonlyMap<ChannelType, ServerChannel>;

  constructor(channels: readonly ServerChannel[]) {
    this.channels = new Map(channels.map((channel) => [channel.type, channel]));
  }

  find(type: ChannelType): ServerChannel | undefined {
    return this.channels.get(type);
  }
}
