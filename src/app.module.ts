import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AccessModule } from '#access';
import { WorkerModule } from '#dispatch';
import { IntakeModule } from '#intake';
import { HealthModule, Maintenance, OpsModule, RegistryApiModule } from '#ops';
import type { Config } from '#platform/config';
import { PlatformModule } from '#platform/module';
import type { PlatformParts } from '#platform/module';
import { RegistryModule } from '#registry';

/** The one composition root. What a role has and the others have not is said here, and only here. */
@Module({})
export class AppModule {
  static forRole(role: Config['role'], parts: PlatformParts): DynamicModule {
    const api = [IntakeModule, OpsModule, RegistryApiModule];
    const worker = [WorkerModule];
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(parts),
        AccessModule,
        RegistryModule,
        HealthModule.withWorker(role !== 'api'),
        ...(role === 'worker' ? [] : api),
        ...(role === 'api' ? [] : worker),
      ],
      providers: role === 'api' ? [] : [Maintenance],
    };
  }
}
