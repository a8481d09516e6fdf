// Random interleavings of Actions, pushes, reads, answers, refusals, lost answers and navigations, with what is on screen
// judged frame by frame. Beside them, in the same run and judged by the same oracle, the ways in which the documentation of
// TanStack Query writes optimistic updates: that it finds bad frames there shows that it can.
//
// The seeds are the same in every run, so that a failure is of the change that it comes with. A search for more:
// `VITE_ACTIONS=10000 npm test -- --project chromium actions.browser` plays as many with each library, from seeds of the day,
// and prints the figures; `VITE_ACTIONS_SEED=7` says where to begin.
import { expect, test } from 'vitest'
import { ours, peers } from './actions/libraries.tsx'
import type { Figures, Searched } from './actions/search.ts'
import { search } from './actions/search.ts'
import { describeSteps } from './actions/steps.ts'

const env = (import.meta as unknown as { env: Record<string, string | undefined> }).env
const asked = env['VITE_ACTIONS']
const ofTheDay = Math.floor(Date.now() / 86_400_000) * 100_000
const first = Number(env['VITE_ACTIONS_SEED'] ?? (asked === undefined ? 1 : ofTheDay))
const seeds = (usual: number): number[] => Array.from({ length: Number(asked ?? usual) }, (_, at) => first + at)

/** A loaded machine may take its time. */
const options = { timeout: 3_600_000 }

function print(name: string, { faults, ...figures }: Figures): void {
  if (asked !== undefined) console.log(`${name}: ${JSON.stringify({ ...figures, ...faults })}`)
}

const explain = ({ failures }: Searched): string =>
  failures.map(({ seed, steps, trace }) => [`\nseed ${seed}: ${describeSteps(steps)}`, ...trace].join('\n')).join('\n')

// The others come first: the first provider of ours sets a scheduler on the notify manager of their hooks.
test.each(peers)('the oracle finds bad frames with $name', options, async (peer) => {
  const searched = await search(peer, seeds(200))
  print(peer.name, searched.figures)
  expect(searched.figures.badFrames).toBeGreaterThan(0)
  // An Action that awaits the server holds other transitions back; nothing else here does.
  expect(searched.figures.heldBack > 0).toBe(peer.name.includes('awaiting'))
})

test(
  'no frame of useSyncAction shows anything but the old and the new, and nothing waits for it',
  options,
  async () => {
    const searched = await search(ours, seeds(1000))
    const { figures } = searched
    print(ours.name, figures)
    expect(searched.failures.length, explain(searched)).toBe(0)
    expect(figures).toMatchObject({ badInterleavings: 0, badFrames: 0, badAnimationFrames: 0, heldBack: 0 })
    expect(figures.faults).toEqual({ twice: 0, tokens: 0, mark: 0, late: 0 })
    expect(figures.frames).toBeGreaterThan(figures.interleavings)
    expect(figures.navigations).toBeGreaterThan(figures.interleavings / 4)
  },
)
