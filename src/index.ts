/** The public surface of `tidemark`. */
export * from '@tanstack/query-core'
export type { Cursor } from './base/cursor'
export type { Problem, SyncErrorCode, SyncErrorOptions } from './base/errors'
export { isSyncError, SyncError } from './base/errors'
export type { RowId, StreamMessage, Version } from './base/messages'
export type { Arguments, SyncClient } from './client'
export { createSyncClient } from './client'
export type { Entity, EntityOptions, RowsOption } from './data/entities'
export { entity } from './data/entities'
export type { ListRule } from './data/list-rule'
export type { InsertPosition, Recipe, RecipeOptions, RowView, View } from './data/recipes'
export type { PlatformSeams, SyncClientOptions } from './options'
export type { Clock } from './platform/clock'
export type { Random } from './platform/ids'
export { seededRandom } from './platform/ids'
export type { Network, NetworkEvent } from './platform/network'
export type { Serializer, SyncStorage } from './platform/storage'
export type { FetchLike, HeaderFields, HeadersSource } from './platform/transport'
export type { Mode } from './queries/cell'
export type { ContextFetch } from './queries/context'
export type { AnyQueryClient } from './queries/hydrate'
export { dehydrate, hydrate } from './queries/hydrate'
export type {
  DefinedInfiniteQuery,
  DefinedInfiniteQueryWithData,
  DefinedQuery,
  DefinedQueryWithData,
  InfiniteQueryDefinition,
  QueryContext,
  QueryDefinition,
  SkippableInfiniteQuery,
  SkippableQuery,
  SyncFields,
} from './queries/query-options'
export { infiniteQueryOptions, queryOptions } from './queries/query-options'
export type { ReadonlyStore } from './stores/live'
export { mirrorMutations } from './stores/mutation-cache'
export type { OutboxEntry, OutboxState, RowReference } from './stores/outbox'
export type { PendingFilter, PendingStores } from './stores/pending'
export type { Progress } from './stores/progress'
export { createQueryStore } from './stores/query'
export { createRowStore } from './stores/row'
export type { SyncStatus } from './stores/status'
export type { Decode } from './stream/entries'
export type { StreamStatus } from './stream/standing'
export type { ClientStream, SyncStreamOptions } from './stream/sync-stream'
export { syncStream } from './stream/sync-stream'
export type { EventStream, EventStreamDeps, EventStreamMessage, EventStreamOptions } from './wire/event-stream'
export { createEventStream } from './wire/event-stream'
export type { EventStreamStatus } from './wire/link'
export { mergeFields } from './writes/conflicts'
export type {
  AnyMutation,
  ConflictContext,
  ConflictPolicy,
  DefinedMutation,
  MutationContext,
  MutationDefinition,
  NoVariablesOrMutationFnBelow,
  Resolution,
  RowRef,
} from './writes/definition'
export { defineMutation } from './writes/definition'
export type { MutationHandle } from './writes/handle'
export type { ClientStorage } from './writes/kept'
export { memoryStorage, syncStorage } from './writes/storage'
