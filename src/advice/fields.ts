/**
 * Fields of options that nobody reads. Of a query's options only those that look like a known one: libraries put fields of
 * their own there. What is ours alone (mutations, `platform`, `stream`, `breaker`) knows no others.
 */

import { didYouMean, nearest, sentence } from '../base/errors'
import { canonical } from '../base/key'
import type { AnyMutation } from '../writes/definition'

/** A sentence for a developer; `topic` is what it is said of once. */
export interface Remark {
  readonly topic: string
  readonly text: string
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** TanStack's and ours. */
const QUERY = /* @__PURE__ */ words(`
  queryKey queryHash queryKeyHashFn queryFn enabled staleTime gcTime retry retryDelay retryOnMount networkMode persister
  initialData initialDataUpdatedAt structuralSharing meta maxPages behavior refetchInterval refetchIntervalInBackground
  refetchOnWindowFocus refetchOnReconnect refetchOnMount notifyOnChangeProps throwOnError select suspense placeholderData
  subscribed initialPageParam getNextPageParam getPreviousPageParam pages revalidateIfStale shallow reconcile
  topics rows persist optimistic timeout`)
/** Short words of everyday language: a field that is nearly one of these is most likely somebody's own. */
const EVERYDAY = new Set(['meta', 'pages', 'behavior', 'shallow', 'reconcile', 'suspense', 'subscribed'])

const MUTATION = /* @__PURE__ */ words(`
  mutationKey mutationFn optimistic apply invalidates scope conflict rebase retry idempotent after onDependencyRejected version
  migrate meta onSuccess onError onSettled throwOnError defined`)
const CONFLICT = ['rebase', 'server-wins', 'client-wins', 'merge', 'manual']

const FILTER = /* @__PURE__ */ words('mutationKey entity id queryKey entryId exact')

const NESTED: Readonly<Record<string, readonly string[]>> = {
  platform: /* @__PURE__ */ words('clock random network fetch development console'),
  stream: /* @__PURE__ */ words('url topics pollInterval decode replays heartbeat init cursor'),
  breaker: /* @__PURE__ */ words('threshold base cap'),
}

/** What is wrong with a query's options, as far as it shows. */
export function remarksOnQuery(options: Readonly<Record<string, unknown>>): Remark[] {
  const targets = QUERY.filter((name) => !EVERYDAY.has(name))
  const key = canonical(options['queryKey'])
  const found: Remark[] = []
  for (const name of Object.keys(options)) {
    if (QUERY.includes(name) || name.startsWith('_') || options[name] === undefined) continue
    const meant = nearest(name, targets, (candidate) => (Math.min(name.length, candidate.length) < 8 ? 1 : 2))
    if (meant === undefined) continue
    found.push({
      topic: `query field ${name}`,
      text: `Query ${key} has a field "${name}", which has no effect; did you mean "${meant}"?`,
    })
  }
  if (options['topics'] !== undefined && !Array.isArray(options['topics']))
    found.push({ topic: 'query topics', text: `Query ${key} has "topics" that are no list: write topics: ['todos'].` })
  if (options['rows'] !== undefined && !isRows(options['rows']))
    found.push({
      topic: `query rows ${key}`,
      text: `Query ${key} has "rows" of another form: they are [entity, locate] or a list of such pairs, e.g. [todoRow, (todos) => todos].`,
    })
  if (options['persist'] !== undefined && options['persist'] !== false)
    found.push({
      topic: 'persist',
      text: `Query ${key} says "persist", which has no effect in this version: nothing is kept over a reload. Take it away, or keep base with a persister of TanStack.`,
    })
  return found
}

function isRows(rows: unknown): boolean {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) &&
    typeof (pair[0] as { idOf?: unknown } | undefined)?.idOf === 'function' &&
    typeof pair[1] === 'function'
  return isPair(rows) || (Array.isArray(rows) && rows.every(isPair))
}

/** What is wrong with a mutation's definition, or with a copy of one that a hook is given. */
export function remarksOnMutation(mutation: Readonly<AnyMutation>): Remark[] {
  const key = canonical(mutation.mutationKey)
  const found: Remark[] = []
  const say = (name: string, text: string): void => void found.push({ topic: `mutation ${name} ${key}`, text })
  for (const name of Object.keys(mutation)) {
    if (MUTATION.includes(name) || name.startsWith('_')) continue
    if (name === 'onMutate')
      say(
        name,
        `Mutation ${key} has "onMutate", which is never called: "optimistic" takes its place, and nothing has to be undone.`,
      )
    else say(name, sentence(`Mutation ${key} has a field "${name}", which has no effect${didYouMean(name, MUTATION)}`))
  }
  const { retry, conflict, scope } = mutation
  if (retry !== undefined && typeof retry !== 'number')
    say(
      'retry',
      `Mutation ${key} has a "retry" that is no number: say how often an answered failure is tried again, e.g. 3.`,
    )
  if (typeof conflict === 'string' && !CONFLICT.includes(conflict))
    say(
      'conflict',
      sentence(`Mutation ${key} has an unknown "conflict", "${conflict}"${didYouMean(conflict, CONFLICT)}`),
    )
  if (scope !== undefined && typeof scope !== 'function' && typeof scope.id !== 'string')
    say('scope', `Mutation ${key} has a "scope" without an id, which counts as none: write scope: { id: 'todos' }.`)
  return found
}

/** What is wrong with a filter of pending writes. Where nothing is named it means all of them, which hides a mistake. */
export function remarksOnFilter(filter: Readonly<Record<string, unknown>>): Remark[] {
  const found: Remark[] = []
  for (const name of Object.keys(filter)) {
    if (FILTER.includes(name)) continue
    const text = sentence(
      `A filter of pending writes has a field "${name}", which has no effect${didYouMean(name, FILTER)}`,
    )
    found.push({ topic: `filter ${name}`, text })
  }
  const { entity, id } = filter as { entity?: { type?: unknown }; id?: unknown }
  if (entity !== undefined && typeof entity.type !== 'string')
    found.push({
      topic: 'filter entity',
      text: `A filter of pending writes has an "entity" that is none, so it finds nothing: pass what entity('todo') returned.`,
    })
  if (id !== undefined && entity === undefined)
    found.push({
      topic: 'filter id',
      text: 'A filter of pending writes has an "id" without an "entity", so the id has no effect: name both.',
    })
  return found
}

/** What of a client's options is looked at. */
export interface ClientFields {
  mutations?: readonly AnyMutation[] | undefined
  stream?: { readonly options: { topics?: readonly string[] | 'queries' | undefined } } | false | undefined
}

function streamOf({ stream }: ClientFields): { topics?: unknown } | undefined {
  return typeof stream === 'object' ? stream.options : undefined
}

/** What is wrong inside of the options of a client. */
export function remarksOnClient(options: ClientFields): Remark[] {
  const found: Remark[] = []
  for (const [option, known] of Object.entries(NESTED)) {
    const given = option === 'stream' ? streamOf(options) : (options as Readonly<Record<string, unknown>>)[option]
    for (const name of typeof given === 'object' && given !== null ? Object.keys(given) : []) {
      if (known.includes(name)) continue
      found.push({
        topic: `${option} ${name}`,
        text: sentence(`The option "${option}" has a field "${name}", which has no effect${didYouMean(name, known)}`),
      })
    }
  }
  const topics: unknown = streamOf(options)?.topics
  if (topics !== undefined && topics !== 'queries' && !Array.isArray(topics))
    found.push({
      topic: 'stream topics',
      text: `The option "stream" has "topics" that are neither a list nor 'queries', so it asks for everything: write topics: ['todos'].`,
    })
  return found
}
