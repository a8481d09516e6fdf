// Deliberate breaks of the state machine. Each must make the suite fail: a rule that no test misses is no rule.

export interface Mutant {
  /** What the broken rule would allow. */
  readonly name: string
  readonly file: string
  /** Must stand in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'sends past an uncertain entry',
    file: 'src/writes/writes.ts',
    find: 'if (head !== undefined && mayStart(state, head)) void send(state, head)',
    replace: 'for (const each of list) if (mayStart(state, each)) void send(state, each)',
  },
  {
    name: 'retries with a new id',
    file: 'src/writes/sender.ts',
    find: '  const { id } = entry\n',
    replace:
      '  if (entry.sent) { state.items.delete(entry.id); entry.id = deps.random.id(deps.clock.now()); item.layer.id = entry.id; state.items.set(entry.id, item) }\n  const { id } = entry\n',
  },
  {
    name: 'takes an unknown outcome for a refusal',
    file: 'src/base/meaning.ts',
    find: "  if (said !== false && links.some(isLost)) return 'unanswered'\n",
    replace: '',
  },
  {
    name: 'hands on a body that is shorter than its length',
    file: 'src/platform/whole.ts',
    find: '  if (length !== undefined && bytes.byteLength < length) throw cut(response, undefined)\n',
    replace: '',
  },
  {
    name: 'takes a write for not applied though a 2xx was seen',
    file: 'src/writes/sender.ts',
    find: "  if (meaning === 'bug' || meaning === 'unclear') return 'applied'\n",
    replace: '',
  },
  {
    name: 'sends under a new key what may have been applied',
    file: 'src/writes/writes.ts',
    find: '  if (change === undefined && entry.failure?.mayBeApplied === true) return ways.resume(entry, mutation)\n',
    replace: '',
  },
  {
    name: 'lets a captive portal confirm what nobody reads',
    file: 'src/platform/whole.ts',
    find: "  if (isWrite && isPage(response) && !/html/.test(accept ?? '')) throw page(response, undefined)\n",
    replace: '',
  },
  {
    name: 'gives up in a captive portal',
    file: 'src/writes/sender.ts',
    find: 'return isAlone || ',
    replace: 'return ',
  },
  {
    name: 'sends for ever what can never be sent',
    file: 'src/platform/http.ts',
    find: '      if (isMistake) throw impossible(cause)\n',
    replace: '',
  },
  {
    name: 'believes for ever a device that says it is offline',
    file: 'src/writes/writes.ts',
    find: '    if (!state.deps.network.isOnline()) state.doubtsOffline(true)\n',
    replace: '',
  },
  {
    name: 'asks again without credentials',
    file: 'src/queries/adopt.ts',
    find: "    if (isSyncError(error, 'usage') || meaningOf(error) === 'credentials') return false\n",
    replace: '',
  },
  {
    name: 'waits for ever for a read',
    file: 'src/platform/limit.ts',
    find: '      reject(error)\n      abort.abort(error)\n',
    replace: '',
  },
  {
    name: 'shows the status instead of the server’s words',
    file: 'src/platform/http.ts',
    find: '  const said = wordsOf(body)\n',
    replace: '  const said = undefined\n',
  },
  {
    name: 'lets a recipe change a date of base in place',
    file: 'src/data/fold.ts',
    find: '? immer.produce(data',
    replace: '|| true ? immer.produce(data',
  },
  {
    name: 'freezes nothing',
    file: 'src/queries/base.ts',
    find: '  if (core.development) freezeDeep(shared)\n',
    replace: '',
  },
  {
    name: 'gives two rows one name',
    file: 'src/base/rows.ts',
    find: '/[ %]/.test(type) ? encodeURIComponent(type) : type',
    replace: 'type',
  },
  {
    name: 'waits for no row that "after" names',
    file: 'src/writes/create.ts',
    find: '  for (const [kind, id] of rowsBefore(state, item)) used.add(rowName(kind.type, id))\n',
    replace: '',
  },
  {
    name: 'believes that an open stream is current',
    file: 'src/stream/health.ts',
    find: '    if (!isSaid) report(error)\n    isSaid = true\n    changed()\n',
    replace: '    error = undefined\n',
  },
  {
    name: 'overlooks what a ping without an id names',
    file: 'src/stream/processor.ts',
    find: '    if (id === undefined && head !== undefined && ours !== undefined) {\n',
    replace: '    if (head === ours && ours === undefined) {\n',
  },
  {
    name: 'keeps a position where CORS lets none through',
    file: 'src/stream/placing.ts',
    find: '      if (unanswered >= 2) inAddress = true\n',
    replace: '',
  },
  {
    name: 'takes an outage for CORS rules that lack the header',
    file: 'src/stream/placing.ts',
    find: '      isAllowed ||= hasHeader\n',
    replace: '',
  },
  {
    name: 'does not see that a position in the address is what was refused',
    file: 'src/wire/attempt.ts',
    find: 'classifyAnswer(answer, lastEventId !== undefined,',
    replace: 'classifyAnswer(answer, lastEventId !== undefined && options.inAddress?.() !== true,',
  },
  {
    name: 'takes a device without a network for a proxy',
    file: 'src/wire/outcome.ts',
    find: '  if (!network.isOnline()) return',
    replace: '  if (network === undefined) return',
  },
  {
    name: 'takes events that wait for a resync for a proxy that holds them back',
    file: 'src/stream/health.ts',
    find: '    if (isHeld() || isReached(waited.cursor)) {\n',
    replace: '    if (isReached(waited.cursor)) {\n',
  },
  {
    name: 'does not see that a resync caught up',
    file: 'src/stream/stream.ts',
    find: '      health.look()\n      standing.showSoon()\n    },\n  })\n  const processor',
    replace: '      standing.showSoon()\n    },\n  })\n  const processor',
  },
  {
    name: 'calls a stream open that is behind where nothing may be polled',
    file: 'src/stream/standing.ts',
    find: "    const isWaiting = state === 'unavailable' || isBehind\n",
    replace: "    const isWaiting = state === 'unavailable'\n",
  },
  {
    name: 'keeps a connection that requests wait for',
    file: 'src/client.ts',
    find: '  http.onWaiting(stream.giveWay)\n',
    replace: '',
  },
  {
    name: 'gives way on pages that have more than six connections',
    file: 'src/platform/http.ts',
    find: " && place.startsWith('http:')",
    replace: '',
  },
  {
    name: 'drops the layer when the answer comes, before the data does',
    file: 'src/evidence/evidence.ts',
    find: "  if (layer.outcome !== 'confirmed') return false\n",
    replace: "  if (layer.outcome === 'confirmed') return true\n  if (layer.outcome !== 'confirmed') return false\n",
  },
  {
    name: 'forgets what an older base was known to contain',
    file: 'src/queries/base.ts',
    find: '  if (continues) keepKnown(record, previous, incoming, has)\n',
    replace: '',
  },
  {
    name: 'accepts an older base',
    file: 'src/evidence/evidence.ts',
    find: "if (base === undefined || incoming.kind === 'manual') return false",
    replace: 'return false',
  },
  {
    name: 'publishes a base while an open mutation may be in it',
    file: 'src/queries/base.ts',
    find: '      wait.add(layer.id)\n',
    replace: '',
  },
  {
    name: 'takes a base of which nothing can be told',
    file: 'src/queries/base.ts',
    find: "if (verdict === 'unknowable') return false",
    replace: "if (verdict === 'unknowable') continue",
  },
  {
    name: 'believes that a mutation which was not named is lacking',
    file: 'src/evidence/evidence.ts',
    find: "incoming.asked === 'all' || incoming.asked?.has(layer.id) === true",
    replace: 'incoming.asked !== undefined',
  },
  {
    name: 'lets an event cover a mutation in queries that it was not applied to',
    file: 'src/writes/outcome.ts',
    find: "    cache.outcome(item.layer, 'confirmed', cursor)\n    cache.invalidateUncovered(item.layer)\n",
    replace:
      "    cache.outcome(item.layer, 'confirmed', cursor)\n    for (const record of cache.core.records.values()) record.base?.has.add(id)\n",
  },
  {
    name: 'without cursors, takes a read from before a confirmation',
    file: 'src/queries/base.ts',
    find: 'if (tick > incoming.start && id !== incoming.own && !incoming.has.has(id)) return true',
    replace: '',
  },
  {
    name: 'without cursors, takes the data of a replayed answer',
    file: 'src/queries/answer.ts',
    find: 'if (answer.cursor === undefined && layer.resent) markStale(core, record)',
    replace: 'if (answer.cursor === undefined && false) markStale(core, record)',
  },
  {
    name: 'forgets the place in the log',
    file: 'src/queries/cell.ts',
    find: 'while (at > 0 && (record.attached[at - 1]?.layer.pos ?? 0) > pos) at--',
    replace: 'while (at > 0 && (record.attached[at - 1]?.layer.pos ?? 0) < pos) at--',
  },
  {
    name: 'keeps a refused layer',
    file: 'src/queries/queries.ts',
    find: '        layer.live = false\n        core.removeLayer(layer)\n',
    replace: '',
  },
  {
    name: 'calls a base fresh although an event went by',
    file: 'src/queries/base.ts',
    find: 'record.stale = behind || incoming.start <= record.staleTick',
    replace: 'record.stale = false',
  },
  {
    name: 'lets a conflict keep its id',
    file: 'src/writes/outcome.ts',
    find: '    id: random.id(clock.now()),\n    variables,',
    replace: '    variables,',
  },
  {
    name: 'gives a replacement no new effect',
    file: 'src/writes/outcome.ts',
    find: '    if (!isSame) cache.core.addLayer(layer)\n',
    replace: '',
  },
  {
    name: 'does not decide waiting bases when the outcome is known',
    file: 'src/queries/base.ts',
    find: '    held.wait.delete(layer.id)\n    if (confirmed',
    replace: '    if (confirmed',
  },
  {
    name: 'an outcome without a position decides waiting bases',
    file: 'src/queries/base.ts',
    find: 'if (confirmed && (cursor === undefined || split)) {',
    replace: 'if (confirmed && split) {',
  },
  {
    name: 'takes the first base of a query from an answer',
    file: 'src/queries/answer.ts',
    find: 'if (ops.length === 0 || record.base === undefined) continue',
    replace:
      'if (ops.length === 0) continue\n    if (record.base === undefined) { record.base = { data: undefined, at: undefined, floor: undefined, start: 0, accepted: 0, has: new Set() } }',
  },
  {
    name: 'rows of an answer make the whole query as new as the answer',
    file: 'src/queries/base.ts',
    find: "  if (incoming.kind === 'answer' && incoming.rows !== undefined) return previous.start\n",
    replace: '',
  },
  {
    name: 'publishes the outcome before the data',
    file: 'src/writes/outcome.ts',
    find: "    cache.outcome(layer, 'confirmed', evidence.cursor)\n    cache.answer(",
    replace: "    cache.outcome(layer, 'confirmed', evidence.cursor)\n    layer.live = false\n    cache.answer(",
  },
  {
    name: 'counts a 401 as a refusal',
    file: 'src/base/meaning.ts',
    find: "  if (status === 401) return 'credentials'\n",
    replace: '',
  },
  {
    name: 'applies a patch on a version that it does not name',
    file: 'src/stream/patch.ts',
    find: '  if (!isWhole && current !== change.base) return undefined\n',
    replace: '',
  },
  {
    name: 'gives a retry another sequence',
    file: 'src/writes/sender.ts',
    find: '  if (entry.sequence === undefined) {',
    replace: '  {',
  },
  {
    name: 'sends before the row is on disk',
    file: 'src/writes/sender.ts',
    find: "  setStatus(state, item, 'sending')\n  await save(state, item)\n",
    replace: "  setStatus(state, item, 'sending')\n  void save(state, item)\n",
  },
  {
    name: 'sends what builds on an unconfirmed creation',
    file: 'src/writes/writes.ts',
    find: 'if (entry.deps.some(',
    replace: 'if (false && entry.deps.some(',
  },
  {
    name: 'runs the recipe of one change over the rows of another',
    file: 'src/data/fold.ts',
    find: 'isSameId(each.id, id) && ',
    replace: '',
  },
  {
    name: 'forgets that positions moved',
    file: 'src/data/fold.ts',
    find: '      if (work.structural) finish(work)\n',
    replace: '',
  },
  {
    name: 'discards an event because a read would be too old',
    file: 'src/evidence/evidence.ts',
    find: "if (incoming.kind === 'push' || incoming.kind === 'manual' || incoming.rows !== undefined) return false",
    replace: '',
  },
  {
    name: 'takes a connection that was reset in the body for a request that the caller gave up',
    file: 'src/platform/whole.ts',
    find: 'if (signal?.aborted) throw cause',
    replace: "if ((cause as { name?: unknown }).name === 'AbortError') throw cause",
  },
]
