// What is written from the recorded run: docs/benchmarks.md, the short table of README.md, and the tables of the console.
// The same results make the same text, so that a test can compare them.
import type { Budget, Results, Verdict } from './results.ts'
import { figureOf, judge } from './results.ts'
import { amount, number, ratio, table } from './text.ts'
import type { Figure, Unit } from './types.ts'

const MARKS = ['<!-- benchmarks: written by `npm run bench -- --record` -->', '<!-- /benchmarks -->'] as const

/** What others are measured by, where it is there. */
const LIMITS = ['limit-array', 'limit-row', 'limit-queue', 'limit-parse', 'limit-map', 'plain list']

/** The table of one row: who, at each size. */
export function rowTable(figures: readonly Figure[], of: string): string {
  const sizes = [...new Set(figures.map(({ size }) => size))]
  const names = [...new Set(figures.map(({ contender }) => contender))]
  const lines = names.map((name) => [
    name === 'tidemark' ? '**tidemark**' : name,
    ...sizes.map((size) => cell(figures, size, name)),
  ])
  return table(['', ...sizes.map((size) => (sizes.length === 1 && size === 1 ? of : `${number(size)} ${of}`))], lines)
}

function cell(figures: readonly Figure[], size: number, name: string): string {
  const at = figures.filter((figure) => figure.size === size)
  const figure = at.find(({ contender }) => contender === name)
  if (figure === undefined) return '–'
  if (figure.wrong !== undefined) return `wrong: ${figure.wrong}`
  const times =
    figure.unit === 'calls'
      ? undefined
      : ratio(
          figure,
          at.find(({ contender }) => LIMITS.includes(contender)),
        )
  return times === undefined ? amount(figure.value, figure.unit) : `${amount(figure.value, figure.unit)} (${times})`
}

/** docs/benchmarks.md, whole. */
export function page(results: Results, budgets: readonly Budget[]): string {
  const verdicts = judge(results, budgets)
  const sections = results.rows.map(({ name, title, of }) => {
    const figures = results.figures.filter(({ row }) => row === name)
    return `## ${name}\n\n${title}.\n\n${rowTable(figures, of)}`
  })
  return `${[
    '# Benchmarks',
    INTRODUCTION,
    surroundings(results),
    `## Budgets\n\n${verdicts.filter(({ isMet }) => isMet).length} of ${verdicts.length} are met.\n\n${budgetTable(verdicts)}`,
    ...sections,
  ].join('\n\n')}\n`
}

const INTRODUCTION = `This page is written by \`npm run bench -- --record\`; \`npm run bench\` measures again, and
\`npm run bench -- optimistic-list rollback\` some of it. What counts is the ratio, in brackets: absolute times are those of one
machine.

- All contenders of a row run in one process, in alternating blocks; a figure is the median of the blocks. They have the same rows,
  the same subscriber, and the same transport: functions in memory, no network.
- \`limit-array\` copies the pointers of the list, copies what changed and makes one call: no list that is replaced can do with less.
  \`limit-row\` looks a row up, copies it, puts it back and makes one call.
- Each library is used as its documentation says, in its production build, with its defaults. What is shown at the end is compared
  with what the server has: a contender that ends with something else is *wrong*, and its time counts for nothing.
- A dash is what a library does not do, or what would take it minutes. TanStack DB shows nothing new while one of its writes is on
  its way. RTK Query's subscribers are called in a microtask here; by default it is a frame, which Node does not have.
- React and Vue draw into jsdom, which is slower than a browser; \`commits\` and \`renders\` are the same there.`

function surroundings({ date, machine, versions }: Results): string {
  const list = (names: Readonly<Record<string, string>>) =>
    Object.entries(names)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')
  return `Recorded on ${date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.os}, Node ${machine.node}, load
${machine.load} at the start. Tidemark with ${list(versions.product)}; peers: ${list(versions.peers)}.`
}

export function budgetTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ budget, value, unit, isMet }) => [
    what(budget),
    said(budget.most, unit),
    value === undefined ? 'not measured' : said(value, unit),
    isMet ? 'yes' : '**no**',
  ])
  return table(['', 'at most', 'measured', 'met'], lines)
}

const said = (value: number, unit: Unit | undefined) =>
  unit === undefined ? `${number(value)} ×` : amount(value, unit)

function what({ row, size, contender = 'tidemark', to, from }: Budget): string {
  const who = contender === 'tidemark' ? '' : `, ${contender}`
  const measure = to !== undefined ? `, times ${to}` : from !== undefined ? `, times that at ${number(from)}` : ''
  return `${row}${size === 1 ? '' : ` at ${number(size)}`}${who}${measure}`
}

/** The short table of README.md, between its two marks. */
function shortTable(results: Results): string {
  const lines = SHORT.flatMap(([row, size, words]) => {
    const ours = figureOf(results, row, size, 'tidemark')
    if (ours === undefined) return []
    const at = results.figures.filter((figure) => figure.row === row && figure.size === size)
    const limit = at.find(({ contender }) => LIMITS.includes(contender))
    const peer = bestPeer(at)
    return [
      [
        words,
        limit === undefined ? '–' : amount(limit.value, limit.unit),
        amount(ours.value, ours.unit),
        peer === undefined ? '–' : `${peer.contender} ${amount(peer.value, peer.unit)}`,
      ],
    ]
  })
  return table(['', 'limit', 'Tidemark', 'fastest peer that ends right'], lines)
}

/** Rows of the README: row, size, words. */
const SHORT: readonly (readonly [string, number, string])[] = [
  ['optimistic-same-base', 10_000, 'an optimistic update of 1 of 10 000 rows, until the subscriber of the list has it'],
  ['optimistic-list', 10_000, 'the same after a write that was accepted'],
  ['rollback', 10_000, 'a refused write of it taken back'],
  ['middle-fails', 1_000, 'the middle one of 1 000 pending writes refused'],
  ['refresh-refetch', 100, '2 000 rows read again under 100 pending writes'],
  ['set-query-data', 10_000, 'data for one of 10 000 queries, each with a subscriber'],
  ['queue-one-scope', 10_000, 'one of 10 000 queued writes (SWR keeps no order, and sends nothing again)'],
  ['memory-cached-query', 10_000, 'heap of a cached query'],
  ['react-components', 1_000, '1 000 React components that show one write'],
  ['size', 1, 'everything, minified and gzipped'],
]

function bestPeer(figures: readonly Figure[]): Figure | undefined {
  return figures
    .filter(({ contender, wrong, unit }) => wrong === undefined && unit !== 'calls' && isPeer(contender))
    .sort((a, b) => a.value - b.value)[0]
}

const isPeer = (name: string) => !name.startsWith('tidemark') && !LIMITS.includes(name)

/** README.md with the table of these results in it. */
export function withShortTable(readme: string, results: Results): string {
  const [begin, end] = MARKS
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from === -1 || to < from) throw new Error(`README.md has no place for the table: ${begin} … ${end}`)
  return `${readme.slice(0, from + begin.length)}\n${shortTable(results)}\n${readme.slice(to)}`
}
