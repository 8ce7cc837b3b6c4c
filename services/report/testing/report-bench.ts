// Report on a real PostgreSQL through its sidecar, without a broker's deliveries: a test appends what it likes and asks.
import request from 'supertest';
import type { Message } from '#kit/events/message';
import { createLog } from '#kit/log';
import { testIssuer } from '#kit/testing/tokens';
import { type ReportService, reportService } from '../app.ts';
import { EventLog } from '../event-log.ts';
import { type ReportMesh, startReportMesh } from './report-mesh.ts';

export interface ReportBench {
  readonly mesh: ReportMesh;
  readonly service: ReportService;
  readonly eventLog: EventLog;
  /** Appends events and lets every view fold them. */
  fold(...messages: Message[]): Promise<void>;
  /** A route below `/api/v1`, by somebody who may do everything everywhere unless told. */
  ask(path: string, claims?: Record<string, unknown>, method?: 'get' | 'post'): Promise<request.Response>;
  /** The body of a 200. */
  read<T>(path: string, claims?: Record<string, unknown>): Promise<T>;
  stop(): Promise<void>;
}

export async function startReportBench(): Promise<ReportBench> {
  const issuer = testIssuer();
  const mesh = await startReportMesh({ standIn: true });
  const log = createLog('report', process.env.TEST_LOG ?? 'silent');
  const parts = { name: 'report', log, verifier: issuer.verifier, contracts: { check: () => undefined } };
  const service = reportService({ ...parts, sidecar: mesh.sidecar, binding: 'views-report' });
  await service.begin();
  const eventLog = new EventLog(mesh.database);
  const ask: ReportBench['ask'] = (path, claims = {}, method = 'get') => {
    const everything = { perm: ['report:read', 'report:admin', 'audit:read'], shops: ['*'] };
    const token = issuer.token({ ...everything, ...claims });
    return request(service.app.callback())[method](`/api/v1${path}`).set('authorization', `Bearer ${token}`);
  };
  return {
    ...{ mesh, service, eventLog, ask },
    async fold(...messages) {
      await eventLog.append(messages);
      await service.views.catchUp();
    },
    async read<T>(path: string, claims?: Record<string, unknown>) {
      const { status, body } = await ask(path, claims);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
      return body as T;
    },
    async stop() {
      await service.stop();
      await mesh.stop();
    },
  };
}
