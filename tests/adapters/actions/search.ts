// Plays an interleaving on a page with real React, and judges what is on screen after each commit, at the end of each task
// that changed it, and at each animation frame.
import type { Root } from 'react-dom/client'
import { createRoot } from 'react-dom/client'
import type { Library, Opened } from './libraries.tsx'
import type { Display, Fact, Fault, Oracle } from './oracle.ts'
import { createOracle } from './oracle.ts'
import type { Controls } from './page.tsx'
import { createControls } from './page.tsx'
import type { DocServer, LogEvent } from './server.ts'
import { createDocServer } from './server.ts'
import type { Step } from './steps.ts'
import { stepsOf } from './steps.ts'
import { aTask, round, task } from './turns.ts'

export interface Figures {
  interleavings: number
  /** What stood on screen at the end of a task that had changed it. */
  frames: number
  badFrames: number
  /** Callbacks of requestAnimationFrame, and those that found something bad. */
  animationFrames: number
  badAnimationFrames: number
  /** The bad frames by what is wrong. */
  faults: Record<Fault, number>
  /** Interleavings with anything bad. */
  badInterleavings: number
  navigations: number
  /** Navigations that were not on screen when everything but the network was done. */
  heldBack: number
}

export interface Failure {
  seed: number
  steps: readonly Step[]
  /** What happened and what was on screen, in order. */
  trace: readonly string[]
}

export interface Searched {
  figures: Figures
  /** The first ones. */
  failures: readonly Failure[]
}

export async function search(library: Library, seeds: readonly number[]): Promise<Searched> {
  const figures: Figures = {
    interleavings: 0,
    frames: 0,
    badFrames: 0,
    animationFrames: 0,
    badAnimationFrames: 0,
    faults: { twice: 0, tokens: 0, mark: 0, late: 0 },
    badInterleavings: 0,
    navigations: 0,
    heldBack: 0,
  }
  const failures: Failure[] = []
  for (const seed of seeds) {
    const { trace, isBad } = await play(library, seed, figures)
    figures.interleavings++
    if (!isBad) continue
    figures.badInterleavings++
    if (failures.length < 3) failures.push({ seed, steps: stepsOf(seed), trace })
  }
  return { figures, failures }
}

/** One interleaving that goes on. */
interface Stage {
  readonly library: Library
  readonly opened: Opened
  readonly server: DocServer
  readonly oracle: Oracle
  readonly controls: Controls
  readonly figures: Figures
  readonly box: HTMLElement
  readonly trace: string[]
  push: (event: LogEvent) => void
  writes: number
  /** Navigations that were begun, and those that were judged. */
  navigations: number
  judged: number
  isBad: boolean
}

async function play(library: Library, seed: number, figures: Figures): Promise<Stage> {
  const stage = openStage(library, seed, figures)
  const root = createRoot(stage.box)
  root.render(stage.opened.node)
  const stop = await load(stage)
  for (const step of stepsOf(seed)) {
    if (!run(stage, step)) continue
    if (step.pause === 'quiet') await rest(stage)
    else if (step.pause === 'task') await aTask()
    else if (step.pause === 'microtask') await Promise.resolve()
  }
  await finish(stage)
  stop()
  await leave(stage, root)
  return stage
}

function openStage(library: Library, seed: number, figures: Figures): Stage {
  const controls = createControls()
  const opened = library.open(controls, seed % 8 < 4)
  const server = createDocServer(opened.net, { names: seed % 2 === 0, returnsDoc: seed % 4 < 2 })
  const oracle = createOracle({ tokensAt: server.tokensAt, isExact: library.isExact })
  const box = document.body.appendChild(document.createElement('div'))
  const rest = { trace: [], push: () => {}, writes: 0, navigations: 0, judged: 0, isBad: false }
  return { library, opened, server, oracle, controls, figures, box, ...rest }
}

/** Loads the page, connects it, and begins to watch. Returns what ends that. */
async function load(stage: Stage): Promise<() => void> {
  const { opened, server, oracle, library, controls, box } = stage
  await round(opened.settle)
  stage.push = await opened.connect(server.names)
  for (let left = 1000; !oracle.isThere(read(stage)); left--) {
    if (left === 0) throw new Error(`The page did not load: ${textOf(stage)}`)
    while (server.serveRead()) server.answerRead()
    await round(opened.settle)
  }
  const look = (): void => judge(stage, 'commit')
  if (library.isExact) controls.onCommit = look
  let isWatching = true
  const observer = new MutationObserver(() => {
    if (library.isExact) look()
    task(() => isWatching && judge(stage, 'frame'))
  })
  observer.observe(box, { childList: true, subtree: true, characterData: true })
  const animate = (): void => {
    if (!isWatching) return
    judge(stage, 'animation frame')
    requestAnimationFrame(animate)
  }
  requestAnimationFrame(animate)
  return () => {
    isWatching = false
    controls.onCommit = undefined
    observer.disconnect()
  }
}

async function leave({ opened, box }: Stage, root: Root): Promise<void> {
  root.unmount()
  box.remove()
  await opened.close()
}

/** Returns `false` where there is nothing to do. */
function run(stage: Stage, { kind, by }: Pick<Step, 'kind' | 'by'>): boolean {
  const { server, opened, controls } = stage
  if (kind === 'serve' || kind === 'refuse') return server.serve(kind === 'refuse')
  if (kind === 'serve read') return server.serveRead()
  if (kind === 'answer') return tell(stage, server.answer())
  if (kind === 'lose') return tell(stage, server.lose())
  if (kind === 'answer read') return tell(stage, server.answerRead())
  if (kind === 'push') {
    const next = server.nextEvent()
    if (next !== undefined) stage.push(next.event)
    return tell(stage, next?.fact)
  }
  stage.trace.push(kind)
  if (kind === 'elsewhere') server.writeElsewhere()
  else if (kind === 'refetch') {
    stage.oracle.cancelReads()
    opened.refetch()
  } else if (kind === 'wait') {
    tell(stage, { kind: 'sent again' })
    opened.wait()
  } else if (kind === 'navigate') {
    stage.oracle.cancelReads() // nothing watches the query for a moment
    stage.navigations++
    controls.navigate()
  } else {
    const write = `w${++stage.writes}`
    tell(stage, { kind: 'acted', write })
    controls.act(write, by)
  }
  return true
}

/** Nothing of it is on the page yet: what it is told comes with a promise, or with the call that follows. */
function tell({ trace, oracle }: Stage, fact: Fact | undefined): boolean {
  if (fact === undefined) return false
  if (fact.kind !== 'sent again') trace.push(JSON.stringify(fact))
  oracle.tell(fact)
  return true
}

const isDone = ({ server, oracle }: Stage): boolean => server.isIdle && !oracle.hasPending()

/** Everything that is on its way arrives. */
async function finish(stage: Stage): Promise<void> {
  await rest(stage)
  for (let round = 0; round < 12 && !isDone(stage); round++) {
    for (const kind of ['serve', 'answer', 'push', 'serve read', 'answer read', 'wait'] as const)
      if (run(stage, { kind, by: 'event' })) await rest(stage)
  }
  if (stage.library.isExact && !isDone(stage)) note(stage, 'end', 'late')
}

/** Until nothing but the network can move anything; then judges. */
async function rest(stage: Stage): Promise<void> {
  const { opened, oracle, figures, library } = stage
  const hasArrived = (): boolean => oracle.isThere(read(stage)) && pageOf(stage) === stage.navigations
  // A loaded machine may need more rounds; what is wrong stays wrong. The others may lag behind the oracle for ever.
  let left = library.isExact ? 40 : 3
  do await round(opened.settle)
  while (--left > 0 && !hasArrived())
  note(stage, 'rest', oracle.close(read(stage)))
  const moved = stage.navigations - stage.judged
  stage.judged = stage.navigations
  figures.navigations += moved
  if (moved === 0 || pageOf(stage) === stage.navigations) return
  figures.heldBack += moved
  stage.trace.push('  <- held back')
  stage.isBad = true
}

const textOf = ({ box }: Stage): string => box.querySelector('output')?.textContent ?? ''
const pageOf = (stage: Stage): number => Number(textOf(stage).split('|')[0])

function read(stage: Stage): Display {
  const [, tokens = '', row, action] = textOf(stage).split('|')
  return { tokens: tokens.split(' '), marks: [row === 'p', action === 'p'] }
}

type When = 'commit' | 'frame' | 'animation frame' | 'rest' | 'end'

function judge(stage: Stage, when: When): void {
  const { figures } = stage
  const fault = stage.oracle.observe(read(stage))
  if (when === 'frame') {
    figures.frames++
    if (fault !== undefined) figures.badFrames++
  } else if (when === 'animation frame') {
    figures.animationFrames++
    if (fault !== undefined) figures.badAnimationFrames++
  }
  note(stage, when, fault)
}

function note(stage: Stage, when: When, fault: Fault | undefined): void {
  const line = `  ${textOf(stage)}${fault === undefined ? '' : `  <- ${fault} (${when})`}`
  if (line !== stage.trace.at(-1)) stage.trace.push(line)
  if (fault === undefined) return
  if (when === 'frame' || stage.library.isExact) stage.figures.faults[fault]++
  stage.isBad = true
}
