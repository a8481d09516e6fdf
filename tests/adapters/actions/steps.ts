// An interleaving: what happens to one document, in an order that follows from a seed.
import { seededRandom } from 'tidemark'

export type StepKind =
  | 'act' // the user writes
  | 'serve' // the server handles the oldest write that it has not handled
  | 'refuse' // the same, and says no
  | 'answer' // its answer arrives
  | 'lose' // the connection of the oldest write breaks, before or after the server has handled it
  | 'elsewhere' // another client writes
  | 'push' // the next event of the log arrives
  | 'refetch' // the page asks again
  | 'serve read' // the server handles the oldest read that it has not handled
  | 'answer read' // its answer arrives
  | 'wait' // what waits to be sent again is sent again
  | 'navigate' // a transition to the other page

/** How an Action begins. */
export type By = 'form' | 'event' | 'transition'

/** What comes before the next step: until nothing moves any more, a task, a microtask, or nothing. */
export type Pause = 'quiet' | 'task' | 'microtask' | 'none'

export interface Step {
  kind: StepKind
  by: By
  pause: Pause
}

const WEIGHTS: Readonly<Record<StepKind, number>> = {
  act: 4,
  serve: 5,
  refuse: 2,
  answer: 7,
  lose: 1,
  elsewhere: 3,
  push: 6,
  refetch: 2,
  'serve read': 5,
  'answer read': 5,
  wait: 1,
  navigate: 2,
}
const KINDS = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as StepKind),
)

/** Not more than this many steps come together: an oracle looks at all their orders. */
const LONGEST_GROUP = 3

/** The same steps for the same seed. The first one is a write. */
export function stepsOf(seed: number): Step[] {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  let together = 0
  return Array.from({ length: 10 + Math.floor(random.next() * 21) }, (_, at): Step => {
    const kind = at === 0 ? 'act' : pick(KINDS)
    const by = pick<By>(['form', 'event', 'transition'])
    const isLast = ++together === LONGEST_GROUP
    const pause = isLast ? 'quiet' : pick<Pause>(['quiet', 'quiet', 'task', 'microtask', 'none'])
    if (pause === 'quiet') together = 0
    return { kind, by, pause }
  })
}

export const describeSteps = (steps: readonly Step[]): string =>
  steps
    .map(
      ({ kind, by, pause }) => `${kind}${kind === 'act' ? ` by ${by}` : ''}${pause === 'quiet' ? '' : ` (${pause})`}`,
    )
    .join(', ')
