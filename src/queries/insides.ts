/**
 * What Tidemark takes of query-core's insides, all of it: members that its types call protected, or that they do not have.
 * `tests/older` runs on the oldest and the newest version of the peer range.
 */
import type { Query } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import type { AnyObserver } from './cell'

/** Who listens to an observer. */
export function listenersOf(observer: AnyObserver): Set<unknown> {
  return (observer as unknown as { listeners: Set<unknown> }).listeners
}

/** Others listen to it from now on. */
export function setListeners(observer: AnyObserver, listeners: Set<unknown>): void {
  ;(observer as unknown as { listeners: Set<unknown> }).listeners = listeners
}

/** Looks whether the query can be collected, as query-core does when a fetch ends. */
export function scheduleGc(query: Query): void {
  ;(query as unknown as { scheduleGc(): void }).scheduleGc()
}

/** The position of a query's data stands beside it: it is dehydrated with it. */
export function positionOf(state: object): unknown {
  return (state as { cursor?: unknown }).cursor
}

export function setPosition({ state }: Query, cursor: Cursor | undefined): void {
  ;(state as { cursor?: Cursor | undefined }).cursor = cursor
}
