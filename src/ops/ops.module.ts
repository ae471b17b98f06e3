import { Module } from '@nestjs/common';
import { LedgerController } from './ledger/ledger.controller.js';
import { ReportController } from './ledger/report.controller.js';

/** What operators read and do. */
@Module({ controllers: [LedgerController, ReportController] })
export class OpsModule {}
