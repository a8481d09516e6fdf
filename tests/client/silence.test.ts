// No mistake is silent: one sentence in development, none in production, none for what is no mistake.
import { createSyncClient, defineMutation } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'
import type { Mistake } from './silence'
import { MISTAKES, NO_MISTAKES } from './silence'

/** Everything that reaches the console. */
async function saidOf({ options = {}, starts = true, run }: Omit<Mistake, 'begins' | 'says'>, development: boolean) {
  const said: string[] = []
  const world: World = createWorld({
    ...options,
    onReport: undefined,
    platform: {
      ...options.platform,
      development,
      console: { warn: (message: unknown) => void said.push(String(message)) },
    },
  })
  const stop = starts ? world.sync.start() : () => {}
  await run(world)
  await world.settle()
  stop()
  return said
}

describe.each(MISTAKES)('$name', (mistake) => {
  test('is one sentence in development, with one end', async () => {
    const said = await saidOf(mistake, true)
    expect(said).toHaveLength(1)
    const [sentence = ''] = said
    expect(sentence.replace('Tidemark: ', '').startsWith(mistake.begins)).toBe(true)
    expect(sentence).toMatch(mistake.says)
    expect(sentence).toMatch(/[^.!?][.?]$/)
  })

  test('is silent in production', async () => {
    expect(await saidOf(mistake, false)).toEqual([])
  })
})

test.each(NO_MISTAKES)('$name is no mistake, and nothing is said', async (mistake) => {
  expect(await saidOf(mistake, true)).toEqual([])
})

test('a mutation without a key is a usage error where it is defined', () => {
  expect(() => defineMutation({ mutationFn: async () => 1 } as never)).toThrow(/^A mutation has no "mutationKey": give/)
})

test('mutations that a client is given are looked at when it is made, and each is told of once', () => {
  const said: string[] = []
  const platform = { development: true, console: { warn: (message: unknown) => void said.push(String(message)) } }
  const wrong = (key: string) =>
    defineMutation({ mutationKey: [key], mutationFn: async () => 1, onMutate() {}, optimstic() {} } as never)
  createSyncClient({ mutations: [wrong('a'), wrong('b')], platform })
  expect(said.map((text) => text.slice(0, 31))).toEqual([
    'Tidemark: Mutation ["a"] has "o',
    'Tidemark: Mutation ["a"] has a ',
    'Tidemark: Mutation ["b"] has "o',
    'Tidemark: Mutation ["b"] has a ',
  ])
})
