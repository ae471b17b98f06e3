export { HealthModule } from './health/health.module.js';
export { Readiness } from './health/readiness.js';
export { Maintenance } from './maintenance.js';
export { OpsModule } from './ops.module.js';
export { RegistryApiModule } from './registry/index.js';
