import { Module } from '@nestjs/common';
import { CoordinatorModule } from '#coordinator';
import { RegistryModule } from '#registry';
import { SamlIntakeModule } from '../saml/index.js';
import { LogoutPageController } from './logout-page.controller.js';

/** People's browsers: `GET /logout/{token}`. */
@Module({ imports: [CoordinatorModule, RegistryModule, SamlIntakeModule], controllers: [LogoutPageController] })
export class BrowserIntakeModule {}
