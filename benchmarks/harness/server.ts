// The server of all contenders: rows in memory, and writes that wait for an answer until the benchmark gives one. Nothing
// is serialized and nothing is sent, so that what is measured is the client.

export interface Row {
  readonly id: string
  readonly n: number
  readonly title: string
  readonly done: boolean
  readonly rank: number
}

export interface Change {
  readonly id: string
  readonly n: number
}

/** A write that has arrived and has no answer yet. */
export interface Call {
  readonly change: Change
  accept(): void
  refuse(): void
}

export interface Server {
  /** What a read answers: the same array until something changes. */
  readonly rows: readonly Row[]
  /** Writes without an answer, in the order in which they came. */
  readonly calls: Call[]
  /** What the transport of every contender does. */
  send(change: Change): Promise<Row>
  read(): Promise<Row[]>
  /** Every row becomes a new object with another `title`, as in an answer that was parsed. */
  renew(): void
  /** Answers everything that waits, also what comes while it does, until nothing comes any more. */
  acceptAll(): Promise<void>
  refuseAll(): Promise<void>
  /** Writes are accepted when they come. */
  isOpen: boolean
}

/** Ids whose order as texts is that of their numbers: a peer that sorts by key shows the server's order. */
export const idOf = (at: number): string => `r${String(at).padStart(6, '0')}`

export function makeRows(count: number): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    id: idOf(at),
    n: 0,
    title: `a task of some length, number ${at}`,
    done: false,
    rank: at,
  }))
}

const REFUSED = Object.assign(new Error('refused'), { status: 422 })

export function createServer(count: number): Server {
  let rows = makeRows(count)
  const places = new Map(rows.map(({ id }, at) => [id, at]))
  const store = ({ id, n }: Change): Row => {
    const at = places.get(id) ?? 0
    const row = { ...(rows[at] as Row), n }
    rows[at] = row
    return row
  }
  let times = 0
  const answerAll = async (answer: (call: Call) => void) => {
    for (let quiet = 0; quiet < 2; quiet++) {
      for (let call = server.calls[0]; call !== undefined; call = server.calls[0]) {
        quiet = 0
        answer(call)
      }
      await turn()
    }
  }
  const server: Server = {
    get rows() {
      return rows
    },
    calls: [],
    isOpen: false,
    send(change) {
      if (server.isOpen) return Promise.resolve(store(change))
      return new Promise((resolve, reject) => {
        const leave = () => void server.calls.splice(server.calls.indexOf(call), 1)
        const call: Call = {
          change,
          accept: () => [leave(), resolve(store(change))],
          refuse: () => [leave(), reject(REFUSED)],
        }
        server.calls.push(call)
      })
    },
    read: () => Promise.resolve(rows.slice()),
    renew() {
      times++
      rows = rows.map((row) => ({ ...row, title: `${row.id} ${times}` }))
    },
    acceptAll: () => answerAll(({ accept }) => accept()),
    refuseAll: () => answerAll(({ refuse }) => refuse()),
  }
  return server
}

/** Waits until so many writes are at the server without an answer. */
export async function arrived(server: Server, count: number): Promise<void> {
  const began = performance.now()
  while (server.calls.length < count) {
    if (performance.now() - began > 3_000)
      throw new Error(`${server.calls.length} of ${count} writes arrived at the server`)
    await turn()
  }
}

/** Everything that is due now has run: promises, and timers without a delay. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
