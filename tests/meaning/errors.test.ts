// What an error of somebody's transport means for a write: whether it is taken back, how often it is sent, what is read.
import { defineMutation } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'
import type { Expected, Member } from './errors'
import { ERRORS } from './errors'

/** After twenty minutes of nothing else than this error: how often it was sent at least and at most, and where it stands. */
const OUTCOMES: Record<Expected, { attempts: readonly [number, number]; stands: string }> = {
  unanswered: { attempts: [15, Number.POSITIVE_INFINITY], stands: 'uncertain' },
  unclear: { attempts: [9, 9], stands: 'failed, may be applied' },
  failed: { attempts: [9, 9], stands: 'failed, may be applied' },
  refused: { attempts: [1, 1], stands: 'failed' },
  conflict: { attempts: [4, 4], stands: 'failed' },
  credentials: { attempts: [1, 1], stands: 'paused' },
  bug: { attempts: [1, 1], stands: 'failed, may be applied' },
}

async function twentyMinutesOf({ make }: Member) {
  let attempts = 0
  const write = defineMutation({
    mutationKey: ['write'],
    mutationFn: async () => {
      attempts++
      throw make()
    },
  })
  const world = createWorld({ mutations: [write] })
  world.sync.start()
  world.sync.mutate(write)
  await world.advance(1_200_000)
  const { entries, failed } = world.sync.outbox.getState()
  const [entry] = [...entries, ...failed]
  const isApplied = entry?.failure?.mayBeApplied === true
  const stands = failed.length === 0 ? entry?.status : isApplied ? 'failed, may be applied' : 'failed'
  await world.sync.close({ outbox: 'discard' })
  return { attempts, stands, failure: entry?.failure }
}

describe('an error of a transport', () => {
  test.each(ERRORS)('$name: $means', async (member) => {
    const { attempts, stands, failure } = await twentyMinutesOf(member)
    const { attempts: bounds, stands: expected } = OUTCOMES[member.means]
    expect(stands).toBe(expected)
    expect(attempts).toBeGreaterThanOrEqual(bounds[0])
    expect(attempts).toBeLessThanOrEqual(bounds[1])
    if (member.reads !== undefined) expect(failure?.message).toContain(member.reads)
  })

  test('there are at least 60 of them', () => {
    expect(new Set(ERRORS.map(({ name }) => name)).size).toBeGreaterThanOrEqual(60)
  })
})

describe('isNetworkError, the application’s word', () => {
  const outcome = async (error: unknown, isNetworkError: (error: unknown) => boolean | undefined) => {
    const write = defineMutation({ mutationKey: ['write'], mutationFn: async () => Promise.reject(error) })
    const world = createWorld({ mutations: [write], isNetworkError })
    world.sync.start()
    world.sync.mutate(write)
    await world.settle()
    return world.sync.outbox.getState().entries[0]?.status ?? 'failed'
  }

  test('true: the write is sent again, whatever the error looks like', async () => {
    expect(await outcome(new Error('modem on fire'), (error) => (error as Error).message.includes('modem'))).toBe(
      'uncertain',
    )
  })

  test('false: what looks like a lost connection is none', async () => {
    expect(await outcome(new TypeError('Failed to fetch'), () => false)).toBe('failed')
  })

  test('undefined: the table decides', async () => {
    expect(await outcome(new TypeError('Failed to fetch'), () => undefined)).toBe('uncertain')
    expect(await outcome(new Error('modem on fire'), () => undefined)).toBe('failed')
  })

  test('one that throws decides nothing', async () => {
    const wrong = () => {
      throw new Error('mine')
    }
    expect(await outcome(new TypeError('Failed to fetch'), wrong)).toBe('uncertain')
  })
})
