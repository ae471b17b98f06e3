export { BrowserIntakeModule } from './browser-intake.module.js';
export { logoutPageUrl } from './logout-page-path.js';
