// The server's end of the sync stream: a chain of events that the test sends one by one.
import type { MutationOutcome, RowChange } from '../../src/base/messages'
import type { SentStream } from './network'
import type { World } from './world'

export interface EventOptions {
  /** Ids of mutations that the event contains, or their outcomes; left out: the event does not say. */
  mutations?: ReadonlyArray<string | MutationOutcome> | undefined
}

export interface ScriptedStream {
  /** The event at this position; it follows the one before. */
  patch(position: number, changes: readonly RowChange[], options?: EventOptions): Promise<void>
  invalidate(position: number, keys: ReadonlyArray<readonly unknown[]>, options?: EventOptions): Promise<void>
  ack(position: number, mutations: ReadonlyArray<string | MutationOutcome>): Promise<void>
  /** Any event, as it is. */
  send(event: string, data: object, position?: number): Promise<void>
  /** The last event once more. */
  repeat(): Promise<void>
  readonly connection: SentStream
}

/** Waits for the client's connection and greets it. */
interface Greeting {
  position?: number
  epoch?: string
  resume?: string
  heartbeat?: number
  progress?: number
}

export async function greet(
  world: World,
  { position = 0, epoch = 'e', resume = 'fresh', ...hello }: Greeting = {},
): Promise<ScriptedStream> {
  await world.settle()
  const connection = world.net.stream()
  let prev = `${epoch}:${position}`
  let last: (() => Promise<void>) | undefined
  await connection.send('hello', { protocol: 1, epoch, resume, cursor: prev, ...hello })
  await world.settle()
  const send = async (event: string, data: object, to?: number): Promise<void> => {
    const id = to === undefined ? undefined : `${epoch}:${to}`
    const sent = { prev, ...data }
    if (id !== undefined) prev = id
    last = () => connection.send(event, sent, id)
    await last()
    await world.settle()
  }
  const named = (mutations: EventOptions['mutations']) =>
    mutations === undefined
      ? undefined
      : { mutations: mutations.map((each) => (typeof each === 'string' ? { id: each } : each)) }
  return {
    connection,
    send,
    patch: (position, changes, options) => send('patch', { changes, ...named(options?.mutations) }, position),
    invalidate: (position, keys, options) => send('invalidate', { keys, ...named(options?.mutations) }, position),
    ack: (position, mutations) => send('ack', { ...named(mutations) }, position),
    async repeat() {
      await last?.()
      await world.settle()
    },
  }
}
