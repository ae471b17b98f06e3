export { Outbox } from './outbox.js';
export type { FanOutJob } from './outbox.js';
export { OutboxModule } from './outbox.module.js';
export { WorkerModule } from './worker.module.js';
export { Dispatcher } from './dispatcher.js';
export { BrowserLegs } from './browser-legs.js';
export { BrowserLegsModule } from './browser-legs.module.js';
