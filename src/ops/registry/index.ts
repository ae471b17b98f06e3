export { RegistryApiModule } from './registry-api.module.js';
