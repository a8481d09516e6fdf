// Kinds of server and situations that a script is run against.
import type { Kind } from './simulation'

const KINDS: Record<string, Kind> = {
  exact: { reflects: true },
  'exact + patch': { reflects: true, stream: 'patch' },
  'exact + patch, no names': { reflects: true, stream: 'patch', echo: false },
  'exact + invalidate': { reflects: true, stream: 'invalidate' },
  'exact, no cursors': { reflects: true, cursors: false },
  'exact, two names': { reflects: true, pendingMax: 2, stream: 'patch' },
  cursor: {},
  'cursor + patch': { stream: 'patch' },
  'cursor + patch, no names': { stream: 'patch', echo: false },
  'cursor + invalidate': { stream: 'invalidate' },
  fence: { cursors: false },
  'fence + invalidate': { cursors: false, stream: 'invalidate' },
  'fence + invalidate, no names': { cursors: false, stream: 'invalidate', echo: false },
}

const SITUATIONS: Record<string, Kind> = {
  plain: {},
  'two scopes, two queries': { scopes: 2, queries: 2 },
  'three scopes, three queries, answers with data': { scopes: 3, queries: 3, answerData: 'set' },
  'answers with rows': { scopes: 2, queries: 2, answerData: 'row' },
  'conflicts, 401, data': { scopes: 2, queries: 2, answerData: 'set', conflicts: true, auth: true },
  'already done without a body': { scopes: 2, queries: 2, answerData: 'set', noBodyDup: true, conflicts: true },
  'lagging replica': { scopes: 2, queries: 2, lag: 3, answerData: 'set', conflicts: true },
  'patches that do not fit': { scopes: 2, queries: 3, patchSome: true, answerData: 'set' },
}

const REPEATABLE = ['none', 'some', 'all'] as const

/** Lag is only right with cursors: without them a replica that is behind cannot be told. */
function isPossible(kind: Kind): boolean {
  return !(kind.cursors === false && (kind.lag ?? 0) > 0)
}

export interface Cell {
  group: string
  name: string
  kind: Kind
}

export const CELLS: readonly Cell[] = Object.entries(KINDS).flatMap(([group, server]) =>
  Object.entries(SITUATIONS)
    .flatMap(([situation, extra]) =>
      REPEATABLE.map((repeatable) => ({
        group,
        name: `${group} / ${situation} / repeatable: ${repeatable}`,
        kind: { ...server, ...extra, repeatable },
      })),
    )
    .filter(({ kind }) => isPossible(kind)),
)
