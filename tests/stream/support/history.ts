/**
 * A sync server as a simulation: a log of transactions over a few keys, subscribers with filters, and a wire that loses,
 * doubles, swaps, garbles, holds back and cuts. Everything comes from one seed.
 */
import type { Cursor } from '../../../src/base/cursor'
import { epochOf } from '../../../src/base/cursor'
import type { FetchLike } from '../../../src/platform/transport'
import type { VirtualClock } from './virtual'

export const KEYS = 8

/** How likely each fault is, per occasion; 0 … 1. */
export interface Faults {
  lose: number
  double: number
  swap: number
  garble: number
  cut: number
  silence: number
  refuse: number
  trim: number
  epoch: number
  bye: number
  readFails: number
}

export interface Transaction {
  position: number
  /** Keys that it wrote; the value of a key is the position of its last write. */
  keys: number[]
  parts: number
}

export interface History {
  readonly fetch: FetchLike
  /** Commits a transaction that writes these keys. */
  write(keys: number[], parts: number): void
  /** What happens to the server itself. */
  trouble(): void
  /** A heartbeat of every subscriber. */
  beat(): void
  /** The state of a key now, and the position of the log. */
  read(): { values: number[]; cursor: Cursor }
  /** The position of the last write of `key` at or before `cursor`; `undefined` for another epoch. */
  lastWrite(key: number, cursor: Cursor): number | undefined
  cursor(): Cursor
  /** Faults of these kinds that happened. */
  readonly happened: Set<keyof Faults>
  /** No more faults. */
  heal(): void
  connections(): number
}

interface Subscriber {
  filter: ReadonlySet<number>
  /** Last id sent. */
  sent: number
  push(frame: string): void
  end(): void
  isOpen(): boolean
}

export interface HistoryOptions {
  clock: VirtualClock
  random: () => number
  faults: Faults
  /** Keys that a subscriber sees. */
  filter: ReadonlySet<number>
  /** Whether an expired position is told by status 410 or by `reset`. */
  answersGone: boolean
}

const encoder = new TextEncoder()

export function createHistory({ clock, random, faults: given, filter, answersGone }: HistoryOptions): History {
  let faults = given
  let epoch = 0
  let head = 0
  let trimmed = 0
  let log: Transaction[] = []
  let values: number[] = Array(KEYS).fill(0)
  let start: number[] = [...values]
  const happened = new Set<keyof Faults>()
  const subscribers = new Set<Subscriber>()
  const name = (position: number): Cursor => `e${epoch}:${position}`
  const strikes = (kind: keyof Faults) => {
    const isHit = random() < faults[kind]
    if (isHit) happened.add(kind)
    return isHit
  }

  function send(to: Subscriber, { position, keys, parts }: Transaction): void {
    const seen = keys.filter((key) => to.filter.has(key))
    if (seen.length === 0) return
    const prev = name(to.sent)
    to.sent = position
    to.push(frames(name(position), prev, seen, parts, position))
  }

  function open(request: Headers): Response {
    const asked = request.get('last-event-id')
    const wire = createWire(clock, random, strikes)
    const position = asked === null ? head : Number(asked.slice(asked.indexOf(':') + 1))
    const goesOn = asked !== null && epochOf(asked) === `e${epoch}` && position >= trimmed && position <= head
    if (asked !== null && !goesOn && answersGone) return answer(410)
    const from = goesOn ? position : head
    const subscriber: Subscriber = { filter, sent: from, push: wire.push, end: wire.end, isOpen: wire.isOpen }
    subscribers.add(subscriber)
    const resume = asked === null ? 'fresh' : goesOn ? 'continued' : 'reset'
    subscriber.push(
      `event: hello\ndata: ${JSON.stringify({ protocol: 1, epoch: `e${epoch}`, resume, cursor: name(from) })}\n\n`,
    )
    for (const transaction of log) if (transaction.position > from) send(subscriber, transaction)
    return answer(200, wire.body)
  }

  function hangUp(): void {
    for (const subscriber of subscribers) subscriber.end()
    subscribers.clear()
  }

  return {
    happened,
    async fetch(_, init) {
      if (strikes('refuse')) {
        if (random() < 0.5) throw new TypeError('network down')
        return answer(503)
      }
      return open(new Headers(init?.headers))
    },
    write(keys, parts) {
      head += 1 + Math.floor(random() * 3)
      for (const key of keys) values[key] = head
      const transaction = { position: head, keys, parts }
      log.push(transaction)
      for (const subscriber of subscribers) send(subscriber, transaction)
    },
    trouble() {
      if (strikes('trim')) trimmed = head
      if (strikes('bye')) {
        for (const subscriber of subscribers) subscriber.push('event: bye\ndata: {"reason":"drain"}\n\n')
        hangUp()
      }
      if (strikes('epoch')) {
        hangUp()
        epoch++
        head = 0
        trimmed = 0
        log = []
        // A restore from a backup: some writes are gone.
        values = values.map((_, key) => (random() < 0.5 ? 0 : -epoch * 100 - key))
        start = [...values]
      }
    },
    beat() {
      for (const subscriber of subscribers) {
        if (!subscriber.isOpen()) subscribers.delete(subscriber)
        const prev = name(subscriber.sent)
        const moves = subscriber.sent !== head && random() < 0.7
        if (moves) subscriber.sent = head
        const data = JSON.stringify({ prev, cursor: name(subscriber.sent) })
        subscriber.push(`event: ping\n${moves ? `id: ${name(head)}\n` : ''}data: ${data}\n\n`)
      }
    },
    read: () => ({ values: [...values], cursor: name(head) }),
    cursor: () => name(head),
    lastWrite(key, cursor) {
      if (epochOf(cursor) !== `e${epoch}`) return undefined
      const position = Number(cursor.slice(cursor.indexOf(':') + 1))
      return log.findLast((entry) => entry.position <= position && entry.keys.includes(key))?.position ?? start[key]
    },
    heal() {
      faults = {
        lose: 0,
        double: 0,
        swap: 0,
        garble: 0,
        cut: 0,
        silence: 0,
        refuse: 0,
        trim: 0,
        epoch: 0,
        bye: 0,
        readFails: 0,
      }
    },
    connections: () => [...subscribers].filter((subscriber) => subscriber.isOpen()).length,
  }
}

/** A transaction on the wire: rows as patches, others as invalidations; in as many parts as it has. */
function frames(id: Cursor, prev: Cursor, keys: number[], parts: number, position: number): string {
  const count = Math.min(parts, keys.length)
  const share = Math.ceil(keys.length / count)
  const all = Array.from({ length: Math.ceil(keys.length / share) }, (_, i) => keys.slice(i * share, (i + 1) * share))
  return all
    .map((some, i) => {
      const isLast = i === all.length - 1
      const envelope = {
        prev,
        ...(all.length > 1 ? { txn: id, of: all.length } : {}),
        ...(isLast ? {} : { more: true }),
      }
      const isRow = some.every((key) => key % 2 === 0)
      const changes = some.map((key) => ({ op: 'put', type: 'k', id: key, version: position, value: position }))
      const body = isRow ? { ...envelope, changes } : { ...envelope, keys: some.map((key) => ['k', key]) }
      return `event: ${isRow ? 'patch' : 'invalidate'}\n${isLast ? `id: ${id}\n` : ''}data: ${JSON.stringify(body)}\n\n`
    })
    .join('')
}

/** Makes the data of one of the events unreadable. */
function garble(text: string, which: number): string {
  const events = text.split('\n\n').slice(0, -1)
  const hit = Math.floor(which * events.length)
  return events.map((event, i) => `${i === hit ? event.replace(/data: ./, 'data: ?') : event}\n\n`).join('')
}

function answer(status: number, body?: unknown): Response {
  const headers = new Headers(status === 200 ? { 'content-type': 'text/event-stream' } : {})
  return { status, headers, body: body ?? null } as unknown as Response
}

/** Bytes on their way: in order, late, and with whatever can happen to them. */
function createWire(clock: VirtualClock, random: () => number, strikes: (kind: keyof Faults) => boolean) {
  let isOpen = true
  let isSilent = false
  let hasEnded = false
  let held: string | undefined
  let arrives = clock.now()
  const arrived: Uint8Array[] = []
  let waiting: ((result: { value: Uint8Array | undefined; done: boolean }) => void) | undefined
  const give = () => {
    if (waiting === undefined) return
    const next = arrived.shift()
    if (next === undefined && !hasEnded) return
    const resolve = waiting
    waiting = undefined
    resolve(next === undefined ? { value: undefined, done: true } : { value: next, done: false })
  }
  const later = (then: () => void) => {
    arrives = Math.max(arrives, clock.now()) + Math.floor(random() * 50)
    clock.after(arrives - clock.now(), () => {
      then()
      give()
    })
  }
  const deliver = (text: string) => {
    if (isSilent) return
    if (strikes('cut')) {
      const part = encoder.encode(text.slice(0, Math.floor(random() * text.length)))
      later(() => void arrived.push(part))
      end()
    } else later(() => void arrived.push(encoder.encode(text)))
  }
  const end = () => {
    if (!isOpen) return
    isOpen = false
    later(() => {
      hasEnded = true
    })
  }
  return {
    isOpen: () => isOpen,
    end,
    push(text: string) {
      if (!isOpen) return
      if (strikes('silence')) isSilent = true
      if (strikes('lose')) return
      if (held !== undefined) {
        deliver(text)
        deliver(held)
        held = undefined
      } else if (strikes('swap')) held = text
      else if (strikes('garble')) deliver(garble(text, random()))
      else deliver(text)
      if (strikes('double')) deliver(text)
    },
    body: {
      getReader: () => ({
        read: () =>
          new Promise<{ value: Uint8Array | undefined; done: boolean }>((resolve) => {
            waiting = resolve
            give()
          }),
        cancel: async () => {
          isOpen = false
        },
      }),
      cancel: async () => {
        isOpen = false
      },
    },
  }
}
