/** `tidemark/server`: the sync server kit for Node. */
export type { BusMessage, SyncBus } from './bus'
export { processBus } from './bus'
export type { ServerClock } from './clock'
export type {
  MutationContext,
  MutationDefinition,
  MutationFunction,
  Principal,
  QueryContext,
  QueryDefinition,
  QueryFunction,
  StandardResult,
  StandardSchema,
  Validator,
} from './functions'
export type { CloseOptions, SyncHandler } from './handler'
export { createSyncHandler } from './handler'
export type { Metric, MetricsSnapshot } from './metrics'
export type { FetchHandler, NodeListener } from './node'
export { toNodeListener } from './node'
export type { Limits, Retention, StreamTimes, SyncHandlerOptions } from './options'
export type { Refusal, RejectOptions } from './problem'
export { conflict, forbid, reject, retryLater } from './problem'
export type {
  Invalidation,
  ListOptions,
  LogBody,
  LogEntry,
  LogPart,
  LogState,
  Position,
  RecordKind,
  SequenceKey,
  StateChange,
  StateRecord,
  StateSerializer,
  StateStore,
  StoredOutcome,
  StoreError,
  StoreSnapshot,
  StoreTransaction,
  TrimOptions,
  WriteOptions,
} from './store'
export { jsonSerializer, storeError } from './store'
export type { MemoryStore, MemoryStoreOptions } from './stores/memory'
export { memoryStore } from './stores/memory'
export type { SqliteStoreOptions } from './stores/sqlite'
export { sqliteStore } from './stores/sqlite'
export type { Synchronous } from './stores/sqlite-schema'
export type { EventOptions, ReadTransaction, RowOptions, TopicsOf, WriteTransaction } from './transaction'
