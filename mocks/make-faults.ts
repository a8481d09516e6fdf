/** `server.faults`: each fault as a function with its defaults. The rules do the work. */

import { controlText } from '../server/frames'
import type {
  ConflictOptions,
  DuplicateOptions,
  Fault,
  FaultOptions,
  Hold,
  LossOptions,
  OversizeOptions,
  ReorderOptions,
  Rule,
  StallOptions,
  StatusOptions,
  WayOptions,
} from './faults'
import type { Network } from './network'

/**
 * What can go wrong. Each function strikes the next request (or event) that matches, once, unless told otherwise, and
 * returns a handle that takes it back.
 *
 * @example
 * server.faults.loseAnswer({ on: 'POST /api/todos' })            // written, but the client does not hear of it
 * server.faults.status(503, { on: 'write', times: 2, retryAfter: 1 })
 * server.faults.latency([50, 400])                               // every read and write, until it is taken back
 */
export interface MockFaults {
  /** Every matching request takes so many milliseconds longer: a number, or random between two, from the seed. */
  latency(milliseconds: number | readonly [from: number, to: number], options?: WayOptions): Fault
  /** Matching requests wait until `release()`. */
  hold(options?: WayOptions): Hold
  /** The request does not reach the server; the client's `fetch` rejects. */
  loseRequest(options?: LossOptions): Fault
  /** The server does its work; the client's `fetch` rejects. */
  loseAnswer(options?: LossOptions): Fault
  /** The server gets the request twice. */
  duplicate(options?: DuplicateOptions): Fault
  /** The request waits until another matching one has overtaken it. */
  reorder(options?: ReorderOptions): Fault
  /** Answers with this status; the request does not reach the server. */
  status(status: number, options?: StatusOptions): Fault
  /** Answers 409 with the current row; the request does not reach the server. */
  conflict(options?: ConflictOptions): Fault
  /**
   * Credentials end. With `times` the next requests are answered 401. Without, every `Authorization` that was sent so
   * far is (none, if none was), until another one comes; open streams end with `bye: auth-expired`.
   */
  expireToken(options?: FaultOptions): Fault
  /** Nothing gets through and open streams break, until it is taken back. */
  offline(): Fault
  /** Open streams break, once; they can be opened again at once. */
  disconnect(): void
  /** The stream breaks in the middle of an event. With `on: 'read'` or `'write'`: an answer breaks off in its body. */
  cut(options?: FaultOptions): Fault
  /** An event, and all behind it, arrive so much later. */
  stall(options: StallOptions): Fault
  /** From this event on nothing arrives on its stream, which does not end: only its silence tells. */
  halfOpen(options?: FaultOptions): Fault
  /** An event arrives swollen beyond what a client accepts. */
  oversize(options?: OversizeOptions): Fault
  /** An event does not arrive; the next one does. */
  gap(options?: FaultOptions): Fault
  /** The log begins anew, as after a restore from a backup: every cursor is of another epoch. */
  changeEpoch(): void
  /** Takes back all of them. Requests that wait go on. */
  reset(): void
}

export function makeFaults(network: Network, changeEpoch: () => void): MockFaults {
  const { rules } = network
  const disconnect = () => {
    for (const stream of [...network.streams]) stream.end(true)
  }
  return {
    latency: (latency, options) => handleOf(rules.add('latency', { ...options, latency })),
    hold: (options) => holdOf(rules.add('hold', { ...options })),
    loseRequest: (options) => handleOf(rules.add('loseRequest', { ...options })),
    loseAnswer: (options) => handleOf(rules.add('loseAnswer', { ...options })),
    duplicate: (options) => handleOf(rules.add('duplicate', { ...options })),
    reorder: (options) => handleOf(rules.add('reorder', { ...options })),
    status: (status, options) => handleOf(rules.add('status', { ...options, status })),
    conflict: (options) => handleOf(rules.add('conflict', { ...options })),
    expireToken: (options) => expireToken(network, options),
    offline() {
      const rule = rules.add('offline', { on: () => true, times: Number.POSITIVE_INFINITY })
      disconnect()
      return handleOf(rule)
    },
    disconnect,
    cut: (options) => handleOf(rules.add('cut', { ...options })),
    stall: (options) => handleOf(rules.add('stall', { ...options })),
    halfOpen: (options) => handleOf(rules.add('halfOpen', { ...options })),
    oversize: (options) => handleOf(rules.add('oversize', { ...options })),
    gap: (options) => handleOf(rules.add('gap', { ...options })),
    changeEpoch,
    reset: rules.reset,
  }
}

function handleOf(rule: Rule): Fault {
  return {
    get used() {
      return rule.used
    },
    stop() {
      rule.left = 0
      for (const go of [...rule.waiting]) go()
    },
  }
}

function holdOf(rule: Rule): Hold {
  const handle = handleOf(rule)
  return {
    get used() {
      return rule.used
    },
    get waiting() {
      return rule.waiting.size
    },
    stop: handle.stop,
    release: handle.stop,
  }
}

function expireToken({ rules, log, streams }: Network, options: FaultOptions | undefined): Fault {
  if (options?.times !== undefined) return handleOf(rules.add('expiredToken', { on: () => true, ...options }))
  const tokens = new Set(log.map(({ headers }) => headers.get('Authorization') ?? ''))
  if (tokens.size > 1) tokens.delete('')
  const rule = rules.add('expiredToken', {
    ...options,
    on: options?.on ?? (({ headers }) => tokens.has(headers.get('Authorization') ?? '')),
    times: Number.POSITIVE_INFINITY,
  })
  for (const stream of [...streams]) {
    if (!rule.matches(stream.request)) continue
    stream.send(() => controlText('bye', { reason: 'auth-expired' }))
    stream.end(false)
  }
  return handleOf(rule)
}
