/**
 * The way of one event stream from the server to the client. Between events, and in the middle of one, it can be cut,
 * held up, fall silent, lose or swell an event; and it can carry events that the server never sent.
 */
import type { ServerClock } from '../server/clock'
import type { FaultKind, Rule } from './faults'
import type { MockRequest } from './requests'

export interface EventStreamDeps {
  clock: ServerClock
  /** The rule that strikes this event, if one does. */
  take: (kind: FaultKind) => Rule | undefined
  /** Called once, when it is over. */
  closed: () => void
}

/** An open stream, as the mock server sees it. */
export interface OpenStream {
  readonly request: MockRequest
  readonly body: ReadableStream<Uint8Array>
  /** Puts text between two events; `prev` is the id of the last event that was sent. */
  send(make: (prev: string | undefined) => string): void
  /** Ends it: cleanly, after what is on its way, or at once, as a connection that breaks. */
  end(broken: boolean): void
}

type Finish = (controller: ReadableStreamDefaultController<Uint8Array>) => void

const OVERSIZE = 2_097_152

export function openEventStream(
  deps: EventStreamDeps,
  request: MockRequest,
  given: ReadableStream<Uint8Array>,
): OpenStream {
  const encoder = new TextEncoder()
  let isSilent = false
  let isOver = false
  let lastId: string | undefined
  let finish: { how: Finish; now: boolean } | undefined
  const pause = createPause(deps.clock, () => finish !== undefined || isOver)
  const source = createSource(given, { ended: leave, wake: pause.wake })

  function over(): void {
    if (isOver) return
    isOver = true
    pause.wake()
    source.cancel()
    deps.closed()
  }
  function leave(how: Finish, now: boolean): void {
    if (finish === undefined || now) finish = { how, now }
    pause.wake()
  }

  /** The text that this event becomes on its way; `undefined`: none of it arrives. */
  async function travel(block: string): Promise<string | undefined> {
    if (isSilent) return undefined
    const stall = deps.take('stall')
    if (stall !== undefined) await pause.passes(stall.options.for ?? 0)
    if (deps.take('halfOpen') !== undefined) isSilent = true
    if (isSilent || deps.take('gap') !== undefined) return undefined
    if (deps.take('cut') !== undefined) {
      leave((controller) => controller.error(new TypeError('terminated')), true)
      return block.slice(0, block.length >> 1)
    }
    const oversize = deps.take('oversize')
    lastId = /^id: (.*)$/m.exec(block)?.[1] ?? lastId
    if (oversize === undefined) return block
    return block.replace('data: {', `data: {"padding":"${'x'.repeat(oversize.options.size ?? OVERSIZE)}",`)
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (!isOver) {
      const next = finish?.now ? undefined : source.blocks.shift()
      const block = typeof next === 'function' ? next() : next
      const text = block === undefined ? undefined : await travel(block)
      if (isOver) return
      if (text !== undefined) return controller.enqueue(encoder.encode(text))
      if (block !== undefined) continue
      if (finish !== undefined) {
        const { how } = finish
        over()
        return how(controller)
      }
      const woken = pause.woken()
      source.read()
      await woken
    }
  }

  return {
    request,
    body: new ReadableStream<Uint8Array>({ pull, cancel: over }, { highWaterMark: 0 }),
    send(make) {
      source.blocks.push(() => make(lastId))
      pause.wake()
    },
    end: (broken) =>
      leave((controller) => (broken ? controller.error(new TypeError('terminated')) : controller.close()), broken),
  }
}

interface SourceDeps {
  ended: (how: Finish, now: boolean) => void
  /** Something has come, or the stream has ended. */
  wake: () => void
}

/** What the server sends, cut into events, with what was put between them: all that is not on its way yet. */
function createSource(given: ReadableStream<Uint8Array>, { ended, wake }: SourceDeps) {
  const reader = given.getReader()
  const decoder = new TextDecoder()
  const blocks: (string | (() => string))[] = []
  let partial = ''
  let isReading = false

  return {
    blocks,
    /** One read at a time. */
    read(): void {
      if (isReading) return
      isReading = true
      reader
        .read()
        .then(
          ({ done, value }) => {
            if (done) return ended((controller) => controller.close(), false)
            const parts = (partial + decoder.decode(value, { stream: true })).split('\n\n')
            partial = parts.pop() ?? ''
            blocks.push(...parts.map((part) => `${part}\n\n`))
          },
          (error: unknown) => ended((controller) => controller.error(error), true),
        )
        .finally(() => {
          isReading = false
          wake()
        })
    },
    cancel: () => void reader.cancel().catch(() => {}),
  }
}

/** Where the stream waits, for one thing at a time, and what wakes it. */
function createPause(clock: ServerClock, isEnding: () => boolean) {
  let onWake = () => {}
  return {
    wake: () => onWake(),
    woken: () =>
      new Promise<void>((resolve) => {
        onWake = resolve
      }),
    /** Resolves when so much time has passed, or the stream is to end. */
    passes: (milliseconds: number) =>
      new Promise<void>((resolve) => {
        const done = () => {
          cancel()
          onWake = () => {}
          resolve()
        }
        const cancel = clock.after(milliseconds, done)
        onWake = () => {
          if (isEnding()) done()
        }
      }),
  }
}
