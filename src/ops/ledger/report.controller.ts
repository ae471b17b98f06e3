import { Controller, Get, Header, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ExeuntError, FINAL_OUTCOMES, VERDICTS } from '#domain';
import type { Clock } from '#domain';
import { CLOCK } from '#platform';
import { Database } from '#platform/database';
import { ApiRoute, ZodQuery } from '#platform/http';
import { buildReportCsv, readCompletionReport, REPORT_GROUPS } from '#reports';
import type { CompletionReport } from '#reports';
import { idpInReach } from './idp-in-reach.js';

const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
const reportQuery = z.strictObject({
  from: instant.optional().describe('Whole hours are counted: the one that holds it is the first. Default: 24 hours before `to`'),
  to: instant.optional().describe('The hour that holds it is the last. Default: now'),
  by: z
    .enum(REPORT_GROUPS)
    .optional()
    .describe('Groups the figures. For `sp` and `channel` the rates are those of deliveries: `basis` says so'),
  idp: z.string().min(1).max(64).optional().describe('Only this identity provider'),
});
type ReportQuery = z.output<typeof reportQuery>;

const rate = z.number().nullable().describe('0 to 1; null when there is nothing to divide by');
const seconds = z.number().nullable();
const figures = z.object({
  basis: z.enum(['logouts', 'deliveries']),
  logouts: z.int().nullable().describe('Final logouts'),
  completionRate: rate,
  provenOrPromisedShare: rate,
  verdicts: z.record(z.enum(VERDICTS).exclude(['pending']), z.int()).nullable(),
  outcomes: z.record(z.enum(FINAL_OUTCOMES), z.int()),
  exposureSeconds: z.object({ sessions: z.int(), mean: seconds, p50: seconds, p95: seconds, p99: seconds }),
  timeToLogoutSeconds: z.object({ p50: seconds, p95: seconds, p99: seconds }).nullable(),
});
const reportView = z.object({
  from: z.string(),
  to: z.string(),
  by: z.enum(REPORT_GROUPS).nullable(),
  total: figures,
  openLogouts: z.int().describe('Not final yet, and in none of the figures'),
  items: z.array(figures.extend({ key: z.string() })),
});

const DAY_MS = 86_400_000;

/** The completion report: a fact, not an impression. */
@Controller('v1/reports')
@Allow('admin', 'idp')
export class ReportController {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('completion')
  @ApiRoute({
    tag: 'Reports',
    summary: 'Completion report',
    description:
      'Completion rate: final logouts whose deliveries are all `confirmed` or `expired`, divided by all final logouts. ' +
      'Percentiles are read from logarithmic buckets, and are at most 9 % too high.',
    query: reportQuery,
    responses: { 200: { description: 'The report', schema: reportView } },
  })
  async completion(@Query(new ZodQuery(reportQuery)) query: ReportQuery, @CurrentCaller() caller: Caller) {
    const report = await this.read(query, caller);
    return { ...report, from: report.from.toISOString(), to: report.to.toISOString() };
  }

  @Get('completion.csv')
  @Header('content-type', 'text/csv; charset=utf-8; header=present')
  @Header('content-disposition', 'attachment; filename="completion.csv"')
  @ApiRoute({
    tag: 'Reports',
    summary: 'Completion report as CSV',
    query: reportQuery,
    responses: { 200: { description: 'A row a group, and the total', schema: z.string(), contentType: 'text/csv' } },
  })
  async completionCsv(@Query(new ZodQuery(reportQuery)) query: ReportQuery, @CurrentCaller() caller: Caller): Promise<string> {
    return buildReportCsv(await this.read(query, caller));
  }

  private async read(query: ReportQuery, caller: Caller): Promise<CompletionReport> {
    const idp = idpInReach(caller, query.idp) ?? null;
    const to = query.to ?? this.clock.now();
    const from = query.from ?? new Date(to.getTime() - DAY_MS);
    if (from > to) {
      throw new ExeuntError('validation', 'The period ends before it begins', [
        { field: '/from', seen: from.toISOString(), rule: `must not be after "to" (${to.toISOString()})` },
      ]);
    }
    return readCompletionReport(this.database, { from, to, by: query.by ?? null, idp });
  }
}
