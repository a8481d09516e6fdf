/** `tidemark/mocks`: a whole sync server for tests, with faults. */
export { conflict, forbid, reject, retryLater } from '../server/problem'
export type { MockDatabase, MockRows } from './database'
export type {
  ConflictOptions,
  DuplicateOptions,
  Fault,
  FaultOptions,
  Hold,
  LossOptions,
  MockRoute,
  OversizeOptions,
  ReorderOptions,
  StallOptions,
  StatusOptions,
  WayOptions,
} from './faults'
export type { MockFaults } from './make-faults'
export type { MockServer } from './msw-server'
export { createMockServer } from './msw-server'
export type { MockServerOptions, MockTable } from './options'
export type { MockRequest } from './requests'
export type { MockPush } from './server'
