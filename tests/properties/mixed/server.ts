// A server of rows with a total order, whose words about what an answer contains differ from answer to answer.
export interface Row {
  id: string
  version?: number
  /** One per write that changed it: one that is there twice was applied or shown twice. */
  tokens: string[]
}

export type Evidence = 'exact' | 'cursor' | 'plain'
export type Change =
  | { kind: 'push' | 'put'; id: string; token: string }
  | { kind: 'add'; id: string; token: string }
  | { kind: 'del'; id: string; token: string }

export interface Message {
  event: 'patch' | 'state' | 'invalidate' | 'resync'
  data: Record<string, unknown>
}

/** One transaction of the stream. */
export interface ServerEvent {
  epoch: string
  at: number
  messages: Message[]
  named: boolean
}

export interface Outcome {
  status: number
  headers: Record<string, string>
  body: { row: Row | null; docs: Record<string, unknown> } | { title: string }
}

export interface Page {
  items: Row[]
  next: string | null
}

const PAGE = 2
/** Rows that nobody deletes, so that their details stay. */
export const KEPT = ['a', 'b']

export interface ServerPlan {
  /** Whether rows carry their version. */
  versions: 'in rows' | 'in events'
  events: 'patch' | 'state' | 'invalidate' | 'both' | 'mixed'
  stream: 'none' | 'named' | 'nameless' | 'mixed'
}

export function createServer(
  { events: how, stream: naming, versions: where }: ServerPlan,
  onEvent: (event: ServerEvent) => void,
) {
  let epoch = 'e0'
  let at = 0
  let rows: Required<Row>[] = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, version: 1, tokens: [] }))
  const versions = new Map<string, number>()
  const applied = new Map<string, string>()
  const outcomes = new Map<string, Outcome>()
  const effects = new Map<string, number>()
  let log: ServerEvent[] = []

  const cursor = (position = at) => `${epoch}:${position}`
  const rowOf = (id: string) => rows.find((row) => row.id === id)

  /** `false`: it cannot be applied. */
  function apply(change: Change): boolean {
    const { id, token } = change
    const row = rowOf(id)
    if (change.kind === 'add') {
      if (row !== undefined) return false
      rows = [...rows, { id, version: 1, tokens: [token] }]
      return true
    }
    if (row === undefined) return false
    if (change.kind === 'del') {
      versions.set(id, row.version + 1)
      rows = rows.filter((each) => each !== row)
      return true
    }
    const next = { ...row, version: row.version + 1, tokens: [...row.tokens, token] }
    rows = rows.map((each) => (each === row ? next : each))
    return true
  }

  function commit(change: Change, id: string | undefined, number: number): boolean {
    if (!apply(change)) return false
    at++
    effects.set(change.token, (effects.get(change.token) ?? 0) + 1)
    if (id !== undefined) applied.set(id, cursor())
    if (naming === 'none') return true
    const named = naming === 'named' || (naming === 'mixed' && number % 2 === 0)
    const mutations = named ? (id === undefined ? [] : [{ id }]) : undefined
    const kind = how === 'mixed' ? (['patch', 'state', 'invalidate', 'both'] as const)[(number >>> 1) % 4] : how
    const messages = messagesOf(change, kind ?? 'patch', number >>> 3)
    const event = {
      epoch,
      at,
      named,
      messages: messages.map((message, i) => ({
        ...message,
        data: { ...message.data, ...(i === 0 && mutations !== undefined ? { mutations } : undefined) },
      })),
    }
    log.push(event)
    onEvent(event)
    return true
  }

  const KEYS = (id: string): string[][] => [['list'], ['wrapped'], ['pages'], ['detail', id]]

  /** As it leaves the server. */
  const out = ({ version, ...row }: Required<Row>): Row =>
    structuredClone(where === 'in rows' ? { ...row, version } : row)

  function patchOf(change: Change, number: number): Message {
    const { id, token } = change
    const row = rowOf(id)
    if (row === undefined)
      return { event: 'patch', data: { changes: [{ op: 'del', type: 'row', id, version: versions.get(id) ?? 2 }] } }
    const fits = change.kind !== 'add' && number % 3 === 0
    const value = [
      { op: 'add', path: '/tokens/-', value: token },
      ...(where === 'in rows' ? [{ op: 'replace', path: '/version', value: row.version }] : []),
    ]
    const patch = fits
      ? { op: 'patch', type: 'row', id, base: row.version - 1, version: row.version, value }
      : { op: 'put', type: 'row', id, version: row.version, value: out(row) }
    return { event: 'patch', data: { changes: [patch] } }
  }

  function messagesOf(change: Change, kind: 'patch' | 'state' | 'invalidate' | 'both', number: number): Message[] {
    const keys = KEYS(change.id)
    const stale: Message = { event: 'invalidate', data: { keys } }
    if (kind === 'patch') return [patchOf(change, number)]
    if (kind === 'invalidate') return [stale]
    if (kind === 'both') {
      const some = { ...stale, data: { keys: keys.filter((_, i) => ((number >>> i) & 1) === 1) } }
      const both = some.data.keys.length === 0 ? [] : [some]
      return number % 5 === 0 ? [...both, patchOf(change, number)] : [patchOf(change, number), ...both]
    }
    const whole = keys.filter(([name]) => name !== 'pages').filter((key) => read(key.join('/')) !== undefined)
    return [
      ...whole.map((key): Message => ({ event: 'state', data: { key, value: read(key.join('/')) } })),
      { event: 'invalidate', data: { keys: [['pages']] } },
    ]
  }

  /** What a read of this address is answered; `undefined`: there is no such row. */
  function read(path: string): unknown {
    const copy = rows.map(out)
    if (path === 'list') return copy
    if (path === 'wrapped') return { items: copy, total: copy.length }
    if (path.startsWith('detail/')) return copy.find(({ id }) => id === path.slice('detail/'.length))
    const after = new URLSearchParams(path.split('?')[1]).get('after') ?? ''
    const later = copy.filter(({ id }) => orderOf(id) > orderOf(after))
    return {
      items: later.slice(0, PAGE),
      next: later.length > PAGE ? (later[PAGE - 1]?.id ?? null) : null,
    } satisfies Page
  }

  function marks(evidence: Evidence, pending: readonly string[]): Record<string, string> {
    if (evidence === 'plain') return {}
    if (evidence === 'cursor') return { 'sync-cursor': cursor() }
    return { 'sync-cursor': cursor(), 'sync-reflects': pending.filter((id) => applied.has(id)).join(', ') }
  }

  return {
    cursor,
    read,
    marks,
    commit,
    effects,
    rowOf,
    get rows() {
      return rows
    },
    get epoch() {
      return epoch
    },
    get at() {
      return at
    },
    /** Once per key, whatever is sent again. */
    write(
      id: string,
      change: Change,
      how: { evidence: Evidence; refuse: boolean; pending: readonly string[]; number: number },
    ): Outcome {
      const stored = outcomes.get(id)
      if (stored !== undefined) return stored
      let outcome: Outcome = { status: 422, headers: {}, body: { title: 'no' } }
      if (!how.refuse && commit(change, id, how.number)) {
        const changed = rowOf(change.id)
        const docs = Object.fromEntries(
          KEYS(change.id)
            .filter(([name]) => name !== 'pages')
            .map((key) => [key.join('/'), read(key.join('/'))])
            .filter(([, value]) => value !== undefined),
        )
        const body = { row: changed === undefined ? null : out(changed), docs }
        outcome = { status: 200, headers: marks(how.evidence, how.pending), body }
      }
      outcomes.set(id, outcome)
      return outcome
    },
    /** What a stream that was at this position has missed; `undefined`: that is not known any more. */
    since(position: string | null): ServerEvent[] | undefined {
      if (position === null) return []
      const [of, number] = [
        position.slice(0, position.lastIndexOf(':')),
        Number(position.slice(position.lastIndexOf(':') + 1)),
      ]
      const floor = log[0] === undefined ? at : log[0].at - 1
      if (of !== epoch || number < floor || number > at) return undefined
      return log.filter((event) => event.at > number)
    },
    trim() {
      log = []
    },
    /** The log begins anew; the data stays. */
    restore() {
      epoch = `e${Number(epoch.slice(1)) + 1}`
      at = 0
      log = []
    },
  }
}

/** Rows stand in the order in which they were made. */
export function orderOf(id: string): number {
  if (id === '') return 0
  return id.length === 1 ? id.charCodeAt(0) : 1_000 + Number(id.slice(1))
}
