/** Injection tokens of things that are not classes of ours. */
export const CONFIG = Symbol('CONFIG');
export const CLOCK = Symbol('CLOCK');
export const LOGGER = Symbol('LOGGER');
export const QUEUE_BACKEND = Symbol('QUEUE_BACKEND');
