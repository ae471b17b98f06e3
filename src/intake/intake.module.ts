import { Module } from '@nestjs/common';
import { CoordinatorModule } from '#coordinator';
import { RegistryModule } from '#registry';
import { BrowserIntakeModule } from './browser/index.js';
import { OidcIntakeModule } from './oidc/index.js';
import { EventsController } from './rest/events.controller.js';
import { LogoutsController } from './rest/logouts.controller.js';
import { SamlIntakeModule } from './saml/index.js';

/** The inbound edges. */
@Module({
  imports: [CoordinatorModule, RegistryModule, OidcIntakeModule, SamlIntakeModule, BrowserIntakeModule],
  controllers: [EventsController, LogoutsController],
})
export class IntakeModule {}
