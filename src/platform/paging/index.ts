export { pageOf, pageSchema, startOf } from './page.js';
export type { Page, PageRequest } from './page.js';
