import { Module } from '@nestjs/common';
import { CoordinatorModule } from '#coordinator';
import { RegistryModule } from '#registry';
import { OidcIntakeModule } from './oidc/index.js';
import { EventsController } from './rest/events.controller.js';
import { LogoutsController } from './rest/logouts.controller.js';

/** The inbound edges. */
@Module({
  imports: [CoordinatorModule, RegistryModule, OidcIntakeModule],
  controllers: [EventsController, LogoutsController],
})
export class IntakeModule {}
