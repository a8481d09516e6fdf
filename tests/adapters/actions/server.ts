// A server with one document and a log. It does nothing by itself: a step says when it handles a request, and when its answer
// arrives. A write that it has seen before (by its idempotency key) has the outcome that it had.
import type { ScriptedNetwork, Sent } from '../../kit/network.ts'
import type { Fact } from './oracle.ts'

export interface Doc {
  id: string
  tokens: readonly string[]
  version: number
}

/** What a write says. */
export interface Add {
  id: string
  token: string
}

interface Logged {
  token: string
  /** The idempotency key of the write. */
  by?: string | undefined
}

export interface LogEvent {
  position: number
  row: Doc
  by: string | undefined
}

type Outcome = { position: number } | 'refused'

export interface DocServer {
  readonly names: boolean
  tokensAt(position: number): readonly string[]
  /** Another client writes. */
  writeElsewhere(): void
  /** Each returns what the page is told by it, or `undefined` where there is nothing to do. */
  serve(isRefused: boolean): boolean
  answer(): Fact | undefined
  lose(): Fact | undefined
  serveRead(): boolean
  answerRead(): Fact | undefined
  /** The next event that the page was not sent. */
  nextEvent(): { event: LogEvent; fact: Fact } | undefined
  readonly isIdle: boolean
}

export interface ServerOptions {
  /** Events and reads say which writes they contain, as the server kit's do. */
  names: boolean
  /** The answer to a write has the document. */
  returnsDoc: boolean
}

export function createDocServer(net: ScriptedNetwork, { names, returnsDoc }: ServerOptions): DocServer {
  const log: Logged[] = [{ token: 'v0' }]
  const outcomes = new Map<string, Outcome>()
  const served = new Map<Sent, Outcome>()
  const snapshots = new Map<Sent, number>()
  let sentTo = 0
  const writes = () => net.waiting.filter(({ method }) => method === 'POST')
  const reads = () => net.waiting.filter(({ method }) => method === 'GET')
  const tokensAt = (position: number) => log.slice(0, position + 1).map(({ token }) => token)
  const docAt = (position: number): Doc => ({ id: 'a', tokens: tokensAt(position), version: position })
  const nameOf = (id: string | undefined): string | undefined =>
    id === undefined
      ? undefined
      : net.log.flatMap((sent) => (sent.id === id && sent.method === 'POST' ? writeOf(sent) : []))[0]
  const writeOf = (sent: Sent): string => (sent.body as Add).token
  const place = (position: number, reflects?: readonly string[]) => ({
    headers: {
      'sync-cursor': `e:${position}`,
      ...(names && reflects !== undefined ? { 'sync-reflects': reflects.join(', ') } : undefined),
    },
  })

  function handle(sent: Sent, isRefused: boolean): Outcome {
    const known = sent.id === null ? undefined : outcomes.get(sent.id)
    if (known !== undefined) return known
    if (!isRefused) log.push({ token: writeOf(sent), by: sent.id ?? undefined })
    const outcome: Outcome = isRefused ? 'refused' : { position: log.length - 1 }
    if (sent.id !== null) outcomes.set(sent.id, outcome)
    return outcome
  }

  return {
    names,
    tokensAt,
    writeElsewhere: () => void log.push({ token: `f${log.length}` }),
    serve(isRefused) {
      const sent = writes().find((each) => !served.has(each))
      if (sent !== undefined) served.set(sent, handle(sent, isRefused))
      return sent !== undefined
    },
    answer() {
      const sent = writes().find((each) => served.has(each))
      const outcome = sent && served.get(sent)
      if (sent === undefined || outcome === undefined) return
      if (outcome === 'refused') void sent.answer({ title: 'No.' }, { status: 422 })
      else void sent.answer(returnsDoc ? docAt(outcome.position) : {}, place(outcome.position))
      const write = writeOf(sent)
      if (outcome === 'refused') return { kind: 'refused', write }
      return { kind: 'answered', write, hasData: returnsDoc, ...outcome }
    },
    lose() {
      const sent = writes()[0]
      void sent?.drop()
      return sent && { kind: 'lost', write: writeOf(sent) }
    },
    serveRead() {
      const sent = reads().find((each) => !snapshots.has(each))
      if (sent !== undefined) snapshots.set(sent, log.length - 1)
      return sent !== undefined
    },
    answerRead() {
      const sent = reads().find((each) => snapshots.has(each))
      if (sent === undefined) return
      const position = snapshots.get(sent) ?? 0
      const reflects = sent.names.filter((id) => log.slice(0, position + 1).some(({ by }) => by === id))
      void sent.answer(docAt(position), place(position, reflects))
      const known = names ? reflects.flatMap((id) => nameOf(id) ?? []) : []
      return { kind: 'read', position, names: known }
    },
    nextEvent() {
      if (sentTo === log.length - 1) return
      const position = ++sentTo
      const by = log[position]?.by
      const fact: Fact = { kind: 'pushed', position, names: names ? nameOf(by) : undefined }
      return { event: { position, row: docAt(position), by: names ? by : undefined }, fact }
    },
    get isIdle() {
      return net.waiting.length === 0 && sentTo === log.length - 1
    },
  }
}
