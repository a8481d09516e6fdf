/** The public surface of `tidemark`. */
export * from '@tanstack/query-core'
export type { Cursor } from './base/cursor'
export type { Problem, SyncErrorCode, SyncErrorOptions } from './base/errors'
export { isSyncError, SyncError } from './base/errors'
export type { RowId, StreamMessage, Version } from './base/messages'
export type { ContextFetch } from './cache/context'
export type { Entity, EntityOptions, RowsOption } from './cache/entities'
export { entity } from './cache/entities'
export type { AnyQueryClient } from './cache/hydrate'
export { dehydrate, hydrate } from './cache/hydrate'
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
} from './cache/query-options'
export { infiniteQueryOptions, queryOptions } from './cache/query-options'
export type { InsertPosition, Recipe, RecipeOptions, RowView, View } from './cache/recipes'
export type { Mode } from './cache/record'
export type { Arguments, SyncClient } from './client'
export { createSyncClient } from './client'
export type { PlatformSeams, SyncClientOptions, SyncStreamOptions } from './options'
export type { Clock } from './platform/clock'
export type { Random } from './platform/ids'
export { seededRandom } from './platform/ids'
export type { Network, NetworkEvent } from './platform/network'
export type { Serializer, SyncStorage } from './platform/storage'
export { memoryStorage } from './platform/storage'
export type { FetchLike, HeaderFields, HeadersSource } from './platform/transport'
export { mergeFields } from './queue/conflicts'
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
} from './queue/mutation'
export { defineMutation } from './queue/mutation'
export type { MutationHandle } from './queue/state'
export type { ReadonlyStore } from './stores/live'
export type { OutboxEntry, OutboxState, RowReference } from './stores/outbox'
export type { PendingFilter, PendingStores } from './stores/pending'
export type { Progress } from './stores/progress'
export { createQueryStore } from './stores/query'
export type { SyncStatus } from './stores/status'
export type { EventStream, EventStreamDeps, EventStreamMessage, EventStreamOptions } from './stream/connection'
export { createEventStream } from './stream/connection'
export type { Decode } from './stream/entries'
export type { EventStreamStatus } from './stream/reconnector'
export type { StreamStatus } from './stream/standing'
