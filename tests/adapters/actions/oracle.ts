// What may be on screen. From what the page was told follows one state; a step leads from an old one to a new one, and a
// frame that shows neither, or the old one after the new one, is bad. It knows nothing of any library.

/** What the page does or is told. A write adds a token, which names it; no other write has it. */
export type Fact =
  | { kind: 'acted'; write: string }
  | { kind: 'answered'; write: string; position: number; hasData: boolean }
  | { kind: 'refused'; write: string }
  | { kind: 'lost'; write: string }
  | { kind: 'sent again' }
  | { kind: 'pushed'; position: number; names: string | undefined }
  | { kind: 'read'; position: number; names: readonly string[] }

export interface Display {
  /** In any order. */
  tokens: readonly string[]
  /** Every place that says whether a write is pending; they must agree. */
  marks: readonly boolean[]
}

interface Write {
  readonly name: string
  /** What has this position, or a later one, contains it. */
  readonly at: number | undefined
  readonly ended: 'no' | 'accepted' | 'refused'
  /** No answer is on its way. */
  readonly isLost: boolean
}

interface State {
  /** What base has. */
  readonly position: number
  /** What base lacks up to, since a write was accepted there without data: events wait for a read once that is asked for. */
  readonly lacks: number
  /** The newest event that waits. */
  readonly waiting: number
  readonly writes: readonly Write[]
}

export interface OracleOptions {
  /** What the server has at a position. */
  tokensAt(position: number): readonly string[]
  /**
   * `true`: when nothing moves any more the screen shows the newest state, and pending is what is not settled. `false`: it
   * may lag behind, may call a write pending for longer, and a write whose answer was lost may be taken back.
   */
  isExact: boolean
}

/** A token twice; tokens too few, too many or again; a mark that does not agree; the newest state is not there in the end. */
export type Fault = 'twice' | 'tokens' | 'mark' | 'late'

export interface Oracle {
  tell(fact: Fact): void
  /** A read whose answer comes together with this may be cancelled. */
  cancelReads(): void
  /** Judges what is on screen. */
  observe(display: Display): Fault | undefined
  /** Nothing moves any more: judges, and closes the group of facts that came together. */
  close(display: Display): Fault | undefined
  /** Whether it is what should be there when nothing moves any more. */
  isThere(display: Display): boolean
  /** Whether a write should be pending then. */
  hasPending(): boolean
}

/** Facts of one group may take effect in any order: a moment is a state in which some of them have. */
interface Moment {
  readonly group: number
  /** Which facts of the group have taken effect, as bits. */
  readonly done: number
  readonly state: State
  readonly tokens: string
  readonly isPending: boolean
}

export function createOracle({ tokensAt, isExact }: OracleOptions): Oracle {
  /** Facts that came together. */
  const groups: Fact[][] = [[]]
  /** Groups in which a read may be cancelled. */
  const cancelling = new Set<number>()
  const moments = new Map<string, Moment>()
  let reached: readonly Moment[] = [momentOf(0, 0, { position: 0, lacks: 0, waiting: 0, writes: [] })]

  const last = (): number => groups.length - 1
  const isDone = ({ done }: Moment, at: number): boolean => (done & (2 ** at)) !== 0
  const isFull = (moment: Moment): boolean =>
    (groups[moment.group] ?? []).every(
      ({ kind }, at) => isDone(moment, at) || (kind === 'read' && cancelling.has(moment.group)),
    )

  function momentOf(group: number, done: number, state: State): Moment {
    const name = `${group} ${done} ${JSON.stringify(state)}`
    const known = moments.get(name)
    if (known !== undefined) return known
    const made = { group, done, state, ...expectedOf(state, tokensAt, isExact) }
    moments.set(name, made)
    return made
  }

  const followers = new WeakMap<Moment, { when: string; next: readonly Moment[] }>()

  function after(moment: Moment): readonly Moment[] {
    const { group, done, state } = moment
    const facts = groups[group] ?? []
    const when = `${facts.length} ${group === last()} ${cancelling.has(group)}`
    const before = followers.get(moment)
    if (before?.when === when) return before.next
    const next = facts.flatMap((fact, at) =>
      isDone(moment, at) ? [] : applied(state, fact, isExact).map((each) => momentOf(group, done | (2 ** at), each)),
    )
    if (isFull(moment) && group < last()) next.push(momentOf(group + 1, 0, state))
    followers.set(moment, { when, next })
    return next
  }

  /** All that may come from here on, these included. */
  function reachable(): ReadonlySet<Moment> {
    const found = new Set(reached)
    for (const moment of found) for (const next of after(moment)) found.add(next)
    return found
  }

  const agrees = (display: Display, { tokens, isPending }: Moment): boolean =>
    nameOf(display.tokens) === tokens && display.marks.every((mark) => mark === isPending || (mark && !isExact))

  const isNewest = (moment: Moment): boolean => moment.group === last() && isFull(moment)

  function observe(display: Display): Fault | undefined {
    const all = [...reachable()]
    const fits = all.filter((moment) => agrees(display, moment))
    if (fits.length > 0) {
      reached = fits
      return undefined
    }
    if (all.some(({ tokens }) => tokens === nameOf(display.tokens))) return 'mark'
    return new Set(display.tokens).size < display.tokens.length ? 'twice' : 'tokens'
  }

  return {
    tell(fact) {
      groups[last()]?.push(fact)
    },
    cancelReads: () => void cancelling.add(last()),
    observe,
    close(display) {
      const fault = observe(display)
      const ends = [...reachable()].filter(isNewest)
      const there = reached.filter(isNewest)
      groups.push([])
      if (isExact) reached = (there.length > 0 ? there : ends).map(({ state }) => momentOf(last(), 0, state))
      return fault ?? (isExact && there.length === 0 ? 'late' : undefined)
    },
    isThere: (display) => [...reachable()].some((moment) => isNewest(moment) && agrees(display, moment)),
    hasPending: () => [...reachable()].some((moment) => isNewest(moment) && moment.isPending),
  }
}

const nameOf = (tokens: readonly string[]): string => [...tokens].sort().join(' ')

/** What it leads to. Where that is not known from outside, all that it may lead to. */
function applied(state: State, fact: Fact, isExact: boolean): readonly State[] {
  if (fact.kind === 'pushed') {
    // The read is asked for when the scope is idle, and not before the stream had its time: until then events are put into base.
    const { lacks, position, waiting } = state
    const isPut = isExact && position < lacks && position >= waiting
    return isPut
      ? [told(state, fact, isExact), told({ ...state, lacks: 0 }, fact, isExact)].map(asLacking(lacks))
      : [told(state, fact, isExact)]
  }
  if (fact.kind !== 'read') return [told(state, fact, isExact)]
  const { names, position } = fact
  const writes = state.writes.map((write) => (names.includes(write.name) ? { ...write, at: position } : write))
  const read = { ...state, position: Math.max(state.position, position), writes }
  // Events that came while the read was out are put into what it brings; those from before it was asked for are not.
  const isPut = isExact && position >= state.lacks && state.waiting > position
  return isPut ? [read, { ...read, position: Math.max(state.position, state.waiting) }] : [read]
}

const asLacking =
  (lacks: number) =>
  (state: State): State => ({ ...state, lacks })

function told(state: State, fact: Exclude<Fact, { kind: 'read' }>, isExact: boolean): State {
  const change = (name: string | undefined, patch: (write: Write) => Partial<Write>): readonly Write[] =>
    state.writes.map((write) => (write.name === name ? { ...write, ...patch(write) } : write))
  const upTo = (position: number): number => Math.max(state.position, position)
  switch (fact.kind) {
    case 'acted':
      return { ...state, writes: [...state.writes, { name: fact.write, at: undefined, ended: 'no', isLost: false }] }
    case 'refused':
      return { ...state, writes: change(fact.write, () => ({ ended: 'refused' })) }
    case 'answered': {
      const { position } = fact
      const writes = change(fact.write, () => ({ at: position, ended: 'accepted' }))
      return {
        ...state,
        ...(fact.hasData ? { position: upTo(position) } : { lacks: Math.max(state.lacks, position) }),
        writes,
      }
    }
    case 'lost': // known from an event, and no answer comes any more: it is accepted
      return {
        ...state,
        writes: change(fact.write, ({ at, ended }) => ({ isLost: true, ended: at === undefined ? ended : 'accepted' })),
      }
    case 'sent again':
      return isExact ? { ...state, writes: state.writes.map((write) => ({ ...write, isLost: false })) } : state
    case 'pushed': {
      const { names, position } = fact
      const writes = change(names, ({ isLost, ended }) => ({ at: position, ended: isLost ? 'accepted' : ended }))
      const waits = isExact && state.position < Math.max(state.lacks, state.waiting)
      return {
        ...state,
        ...(waits ? { waiting: Math.max(state.waiting, position) } : { position: upTo(position) }),
        writes,
      }
    }
  }
}

/** What base has, and the writes of the page that are open. */
function expectedOf(
  { position, writes }: State,
  tokensAt: OracleOptions['tokensAt'],
  isExact: boolean,
): Pick<Moment, 'tokens' | 'isPending'> {
  const isIn = ({ at }: Write): boolean => at !== undefined && at <= position
  const open = writes.filter(({ ended, isLost }) => ended !== 'refused' && (isExact || !isLost))
  const shown = open.filter((write) => !isIn(write)).map(({ name }) => name)
  const isPending = open.some((write) => !isIn(write) || (isExact && write.ended === 'no'))
  return { tokens: nameOf([...new Set([...tokensAt(position), ...shown])]), isPending }
}
