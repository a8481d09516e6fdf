// Random server histories × random faults × random filters, in virtual time. While it runs: what the client believes to
// be fresh is never older than its cursor, no transaction is seen half, and no gap is found where there was none. When
// the faults stop: the client's state is the server's.
import { describe, expect, test } from 'vitest'
import type { Cursor } from '../../src/base/cursor'
import { compareCursors } from '../../src/base/cursor'
import { seededRandom } from '../../src/platform/ids'
import { createSyncStream } from '../../src/stream/stream'
import type { StreamTarget } from '../../src/stream/target'
import type { Faults, History } from './support/history'
import { createHistory, KEYS } from './support/history'
import type { VirtualClock } from './support/virtual'
import { createVirtualClock, createVirtualNetwork } from './support/virtual'

const RUNS = Number(process.env['STREAM_RUNS'] ?? (process.env['CI'] ? 10_000 : 2_000))
const NONE: Faults = {
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
/** Faults after which a gap may be found. */
const BREAKS_CHAIN: ReadonlyArray<keyof Faults> = ['lose', 'swap', 'garble', 'epoch']

interface Replica {
  target: StreamTarget
  /** What is known of each key. */
  values(): number[]
  isStale(): boolean
  reasons: string[]
  offences: string[]
}

/** A client that keeps keys by reads and events, and checks what it is told. */
function createReplica(
  clock: VirtualClock,
  random: () => number,
  history: History,
  filter: ReadonlySet<number>,
  readFails: () => boolean,
): Replica {
  const known = Array.from({ length: KEYS }, () => ({
    value: Number.NaN,
    at: undefined as Cursor | undefined,
    staleAt: undefined as Cursor | undefined,
    stale: true,
  }))
  const reasons: string[] = []
  const offences: string[] = []

  const isOlder = (a: Cursor, b: Cursor | undefined) => {
    const order = b === undefined ? undefined : compareCursors(a, b)
    return order !== undefined && order < 0
  }
  const markStale = (key: number, at: Cursor | undefined) => {
    const entry = known[key]
    if (
      entry === undefined ||
      (at !== undefined &&
        entry.at !== undefined &&
        !entry.stale &&
        !isOlder(entry.at, at) &&
        compareCursors(entry.at, at) !== undefined)
    )
      return
    entry.stale = true
    entry.staleAt = at
  }
  const read = (keys: readonly number[]): Promise<void> =>
    new Promise((resolve) => {
      clock.after(10 + random() * 2_000, () => {
        const failed = readFails()
        const { values, cursor } = history.read()
        for (const key of failed ? [] : keys) take(key, values[key] ?? Number.NaN, cursor, true)
        resolve()
        const rest = keys.filter((key) => known[key]?.stale)
        if (rest.length > 0) clock.after(1_000, () => void read(rest))
      })
    })
  const take = (key: number, value: number, at: Cursor, isRead: boolean) => {
    const entry = known[key]
    if (entry === undefined || isOlder(at, entry.at)) return
    entry.value = value
    entry.at = at
    if (isRead && !isOlder(at, entry.staleAt)) entry.stale = false
  }
  /** What is not stale is at least as new as the cursor. */
  const check = (cursor: Cursor, what: string) => {
    for (const key of filter) {
      const entry = known[key]
      const wanted = history.lastWrite(key, cursor)
      if (entry === undefined || entry.stale || wanted === undefined || entry.at === undefined) continue
      if (compareCursors(entry.at, cursor) === undefined)
        offences.push(`${what} ${cursor}: key ${key} is of ${entry.at}`)
      else if (entry.value < wanted) offences.push(`${what} ${cursor}: key ${key} is ${entry.value}, not ${wanted}`)
    }
  }

  return {
    reasons,
    offences,
    values: () => [...filter].map((key) => known[key]?.value ?? Number.NaN),
    isStale: () => [...filter].some((key) => known[key]?.stale),
    target: {
      apply(messages, cursor) {
        if (cursor === undefined) return void offences.push('a transaction without a position')
        const parts = new Map<unknown, [count: number, of: number]>()
        for (const message of messages) {
          const { txn, of } = message as { txn?: string; of?: number }
          if (txn !== undefined) parts.set(txn, [(parts.get(txn)?.[0] ?? 0) + 1, of ?? 0])
          if (message.event === 'patch')
            for (const change of message.changes) take(Number(change.id), Number(change.version), cursor, false)
          if (message.event !== 'invalidate') continue
          const keys = (message.keys ?? []).map((key) => Number(key[1]))
          for (const key of keys) markStale(key, cursor)
          void read(keys)
        }
        for (const [txn, [count, of]] of parts)
          if (count !== of) offences.push(`transaction ${String(txn)} has ${count} of ${of} parts`)
        check(cursor, 'apply')
      },
      outcomes: () => {},
      reached: (cursor) => check(cursor, 'reached'),
      resync({ reason, cursor }) {
        reasons.push(reason)
        for (const entry of known) {
          entry.stale = true
          entry.staleAt = cursor
        }
        return read([...filter])
      },
      poll: () => void read([...filter]),
    },
  }
}

async function run(
  seed: number,
  kinds: ReadonlyArray<keyof Faults>,
): Promise<{ happened: Set<keyof Faults>; reasons: string[]; problem: string | undefined }> {
  const random = seededRandom(seed)
  const dice = random.next
  const clock = createVirtualClock()
  const faults = { ...NONE }
  for (const kind of kinds) faults[kind] = dice() < 0.5 ? dice() * (kind === 'refuse' ? 0.6 : 0.15) : 0
  const network = createVirtualNetwork()
  const filter = new Set(Array.from({ length: KEYS }, (_, key) => key).filter(() => dice() < 0.6))
  filter.add(0)
  const history = createHistory({ clock, random: dice, faults, filter, answersGone: dice() < 0.5 })
  let failing = true
  const replica = createReplica(clock, dice, history, filter, () => failing && dice() < faults.readFails)
  const reports: string[] = []
  const stream = createSyncStream(
    {
      clock,
      random,
      network,
      fetch: history.fetch,
      headers: async () => ({}),
      report: ({ message }) => void reports.push(message),
      target: replica.target,
    },
    { url: '/sync' },
  )
  const keysOf = () =>
    Array.from({ length: 1 + Math.floor(dice() * 4) }, () => Math.floor(dice() * KEYS)).filter(
      (key, i, all) => all.indexOf(key) === i,
    )
  stream.start()
  let nextBeat = clock.now() + 15_000
  for (let step = 0; step < 30; step++) {
    await clock.advance(dice() * 5_000)
    if (clock.now() >= nextBeat) {
      history.beat()
      nextBeat = clock.now() + 15_000
    }
    for (let i = Math.floor(dice() * 4); i > 0; i--) history.write(keysOf(), 1 + Math.floor(dice() * 3))
    if (dice() < 0.2) history.trouble()
    if (history.connections() > 1) replica.offences.push('two connections at once')
    for (const wake of ['online', 'visible', 'wake'] as const) if (dice() < 0.05) network.emit(wake)
    if (dice() < 0.05) stream.retryNow()
    if (dice() < 0.02) {
      stream.stop()
      await clock.advance(dice() * 3_000)
      stream.start()
    }
  }
  history.heal()
  failing = false
  const isRight = () =>
    !replica.isStale() &&
    JSON.stringify(replica.values()) === JSON.stringify([...filter].map((key) => history.read().values[key]))
  for (let i = 0; i < 60 && !(isRight() && i > 3 && stream.status.getState().state === 'open'); i++) {
    await clock.advance(15_000)
    history.beat()
  }
  await clock.advance(1_000)
  const problem =
    replica.offences[0] ??
    (isRight()
      ? undefined
      : `the client has ${replica.values()} (stale: ${replica.isStale()}), the server ${[...filter].map((key) => history.read().values[key])}; ${JSON.stringify(stream.status.getState())}`)
  stream.stop()
  await clock.advance(10_000)
  return {
    happened: history.happened,
    reasons: replica.reasons,
    problem: problem ?? (history.connections() > 0 ? 'a connection is left' : undefined),
  }
}

const ALL = Object.keys(NONE) as Array<keyof Faults>

describe('the stream against a simulated server', () => {
  test(`converges, loses nothing unseen and finds no gap where there is none, in ${RUNS} runs`, {
    timeout: 600_000,
  }, async () => {
    const reasons = new Map<string, number>()
    for (let seed = 1; seed <= RUNS; seed++) {
      const { happened, reasons: found, problem } = await run(seed, ALL)
      expect(problem, `seed ${seed}`).toBeUndefined()
      for (const reason of found) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      const mayGap = BREAKS_CHAIN.some((kind) => happened.has(kind))
      if (!mayGap)
        expect(
          found.filter((reason) => !['fresh', 'reset', 'expired'].includes(reason)),
          `seed ${seed}`,
        ).toEqual([])
      if (happened.size === 0) expect(found, `seed ${seed}`).toEqual(['fresh'])
    }
    expect([...reasons.keys()].sort()).toEqual(expect.arrayContaining(['expired', 'fresh', 'gap', 'protocol', 'reset']))
  })

  test('resyncs once, at the start, when nothing goes wrong', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { reasons, problem } = await run(seed, [])
      expect([reasons, problem]).toEqual([['fresh'], undefined])
    }
  })

  test('goes on without a resync when connections are only cut', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { reasons, problem } = await run(seed, ['cut', 'double', 'silence', 'refuse', 'bye'])
      expect([reasons, problem], `seed ${seed}`).toEqual([['fresh'], undefined])
    }
  })
})
