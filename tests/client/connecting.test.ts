import { queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const topicQuery = (name: string) =>
  queryOptions({
    queryKey: [name],
    queryFn: ({ fetch }) => fetch(`/${name}`).then((response): Promise<string[]> => response.json()),
    topics: [name],
  })
const hello = (position: number, resume = 'fresh') => ({ protocol: 1, epoch: 'e', resume, cursor: `e:${position}` })

test('asks for the topics of the cached queries, and anew when a query brings another', async () => {
  const { sync, net, watch, settle, advance } = createWorld({
    stream: syncStream({ url: '/stream', topics: 'queries' }),
  })
  watch(topicQuery('one'))
  sync.start()
  await settle()
  await net.take('GET').answer([], { headers: { 'sync-cursor': 'e:1' } })
  await net.stream().send('hello', hello(1))
  expect(net.stream().url).toBe('/stream?topics=one')
  watch(topicQuery('two'))
  await settle()
  await advance(3000)
  expect(net.streams).toHaveLength(2)
  expect(net.stream().url).toBe('/stream?topics=one,two')
  expect(net.streams[0]?.open).toBe(false)
})

test('reads again on a fresh connection only what is behind it', async () => {
  const { sync, net, watch, settle } = createWorld({ stream: syncStream({ url: '/stream' }) })
  watch(topicQuery('behind'))
  watch(topicQuery('level'))
  sync.start()
  await settle()
  await net.take('GET', '/behind').answer([], { headers: { 'sync-cursor': 'e:4' } })
  await net.take('GET', '/level').answer([], { headers: { 'sync-cursor': 'e:5' } })
  await net.stream().send('hello', hello(5))
  expect(net.waiting.map(({ url }) => url)).toEqual(['/behind'])
})

test('asks nobody again when the stream goes on where it was', async () => {
  const { sync, net, watch, settle, advance } = createWorld({ stream: syncStream({ url: '/stream' }) })
  watch(topicQuery('one'))
  sync.start()
  await settle()
  await net.take('GET').answer([], { headers: { 'sync-cursor': 'e:5' } })
  await net.stream().send('hello', hello(5))
  await net.stream().close()
  await advance(5000)
  expect(net.streams).toHaveLength(2)
  expect(net.stream().headers.get('last-event-id')).toBe('e:5')
  await net.stream().send('hello', hello(5, 'continued'))
  expect(net.waiting).toEqual([])
  expect(sync.status.getState().stream).toBe('open')
})
