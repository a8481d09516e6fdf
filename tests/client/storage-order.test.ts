// A storage is given one batch at a time, so that the older of two can never land on the newer.
import { memoryStorage, syncStorage } from 'tidemark'
import { expect, test } from 'vitest'

test('a batch waits for the one before, also for one that fails, and what deletes waits as well', async () => {
  const disk = memoryStorage()
  const begun: string[] = []
  const running: Array<(error?: Error) => void> = []
  const step = (name: string, run: () => Promise<void>) => {
    begun.push(name)
    return new Promise<void>((resolve, reject) => {
      running.push((error) => (error === undefined ? run().then(resolve, reject) : reject(error)))
    })
  }
  const storage = syncStorage({
    durable: true,
    get: disk.get,
    list: disk.list,
    write: (batch) => step(batch.map(([, value]) => value).join(), () => disk.write(batch)),
    clear: (prefix) => step(`clear ${prefix}`, () => disk.clear(prefix)),
  })
  const first = storage.write([['a', '1']])
  const second = storage.write([['a', '2']]).catch((error: Error) => error.message)
  const third = storage.clear('a')
  const fourth = storage.write([['a', '4']])
  for (const [ended, error] of [[first], [second, new Error('full')], [third], [fourth]] as const) {
    await Promise.resolve()
    expect(running).toHaveLength(1)
    running.shift()?.(error)
    await ended
  }
  expect(begun).toEqual(['1', '2', 'clear a', '4'])
  expect(await second).toBe('full')
  expect(await storage.get('a')).toBe('4')
})
