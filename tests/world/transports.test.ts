// Other people's transports, the libraries themselves, against a real server: a connection that is refused, reset or cut,
// pages of something in between, and answers that say no. What becomes of the write, with nothing told but the error.
import { expect, test } from 'vitest'
import { createProject } from './project.ts'

const program = `
import { createServer } from 'node:http'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createClient as createConnectClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web'
import { EmptySchema, file_google_protobuf_empty } from '@bufbuild/protobuf/wkt'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'
import { createClient as createSupabase } from '@supabase/supabase-js'
import { createTRPCClient, httpBatchLink, httpLink } from '@trpc/client'
import { Client, fetchExchange } from '@urql/core'
import axios from 'axios'
import got from 'got'
import { GraphQLClient } from 'graphql-request'
import ky from 'ky'
import nodeFetch from 'node-fetch'
import { ofetch } from 'ofetch'
import openapi from 'openapi-fetch'
import superagent from 'superagent'
import { createSyncClient, defineMutation } from 'tidemark'
import * as undici from 'undici'
import wretch from 'wretch'

const json = { 'content-type': 'application/json' }
const html = { 'content-type': 'text/html' }
const cutAfter = (response, fields) => {
  response.writeHead(200, { ...json, ...fields })
  response.write('{"data":{"a":1')
  setTimeout(() => response.socket.destroy(), 20)
}
const answer = (status, fields, body) => (response) => response.writeHead(status, fields).end(body)
const places = {
  reset: (response) => response.socket.destroy(),
  cut: (response) => cutAfter(response, { 'content-length': 100 }),
  chunks: (response) => cutAfter(response, {}),
  truncated: answer(200, json, '{"data":{"a":1'),
  page: answer(200, html, '<html>Please log in'),
  gateway: answer(503, html, '<h1>Service Unavailable'),
  cdn: answer(522, html, '<h1>Timed out'),
  broken: answer(500, json, '{"message":"Bang"}'),
  invalid: answer(422, json, '{"message":"A title is needed."}'),
  unknown: answer(401, json, '{"message":"Who are you?"}'),
  newer: answer(409, json, '{"message":"Somebody was faster."}'),
}
const server = createServer((request, response) => {
  const [, place] = request.url.split(/[/?]/)
  request.resume().on('end', () => places[place](response))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const base = 'http://127.0.0.1:' + server.address().port
const closed = createServer()
await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve))
const nobody = 'http://127.0.0.1:' + closed.address().port
await new Promise((resolve) => closed.close(resolve))

const document = gql('mutation A { a }')
const unlessOk = (status, body) => (status < 300 ? body() : Promise.reject(Object.assign(new Error('HTTP ' + status), { status })))
const orThrow = ({ data, error, response }) => {
  if (error) throw Object.assign(new Error('no'), { response, data: error })
  return data
}
const service = { kind: 'service', typeName: 'a.S', file: file_google_protobuf_empty, method: {}, methods: [] }
service.method.post = { kind: 'rpc', methodKind: 'unary', name: 'Post', localName: 'post', input: EmptySchema, output: EmptySchema, parent: service, idempotency: 0 }
service.methods.push(service.method.post)
const database = (url) => createSupabase(url, 'key', { auth: { persistSession: false } }).from('t').insert({})
const transports = {
  axios: (url) => axios.post(url, {}),
  'axios over fetch': (url) => axios.post(url, {}, { adapter: 'fetch' }),
  ky: (url) => ky.post(url, { json: {}, retry: 0 }).json(),
  ofetch: (url) => ofetch(url, { method: 'POST', body: {}, retry: 0 }),
  got: (url) => got.post(url, { json: {}, retry: { limit: 0 } }).json(),
  superagent: (url) => superagent.post(url).send({}),
  'node-fetch': (url) => nodeFetch(url, { method: 'POST', body: '{}' }).then((r) => unlessOk(r.status, () => r.json())),
  undici: (url) => undici.request(url, { method: 'POST', body: '{}' }).then((r) => unlessOk(r.statusCode, () => r.body.json())),
  fetch: (url) => fetch(url, { method: 'POST', body: '{}' }).then((r) => unlessOk(r.status, () => r.json())),
  'fetch of the context': (url, { fetch }) => fetch(url, { body: '{}' }).then((r) => r.json()),
  'fetch of the context, answer unread': async (url, { fetch }) => void (await fetch(url, { body: '{}' })),
  tRPC: (url) => createTRPCClient({ links: [httpLink({ url })] }).post.mutate({}),
  'tRPC in batches': (url) => createTRPCClient({ links: [httpBatchLink({ url })] }).post.mutate({}),
  oRPC: (url) => createORPCClient(new RPCLink({ url })).post({}),
  'supabase, error handed on': async (url) => {
    const { data, error, status } = await database(url)
    if (error) throw Object.assign(new Error(error.message), error, { status })
    return data
  },
  'supabase, throwOnError': (url) => database(url).throwOnError(),
  Apollo: (url) => new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() }).mutate({ mutation: document }),
  urql: async (url) => {
    const { data, error } = await new Client({ url, exchanges: [fetchExchange] }).mutation('mutation A { a }', {}).toPromise()
    if (error) throw error
    return data
  },
  'graphql-request': (url) => new GraphQLClient(url).request('mutation A { a }'),
  wretch: (url) => wretch(url).post({}).json(),
  'openapi-fetch': (url) => openapi({ baseUrl: url }).POST('/x', { body: {} }).then(orThrow),
  Connect: (url) => createConnectClient(service, createConnectTransport({ baseUrl: url })).post({}),
  'gRPC-web': (url) => createConnectClient(service, createGrpcWebTransport({ baseUrl: url })).post({}),
}

async function outcome(call, url) {
  const write = defineMutation({ mutationKey: ['write'], mutationFn: (_, context) => call(url, context) })
  const sync = createSyncClient({ mutations: [write], onReport() {}, breaker: { threshold: 1_000_000 } })
  sync.start()
  let confirmed = false
  sync.mutate(write).confirmed.then(() => void (confirmed = true), () => {})
  let stands
  for (const end = Date.now() + 20_000; stands === undefined && Date.now() < end; await new Promise((r) => setTimeout(r, 20))) {
    const { entries: [entry], failed: [failed] } = sync.outbox.getState()
    if (confirmed) stands = 'confirmed'
    else if (failed) stands = failed.failure.mayBeApplied ? 'given up' : failed.failure.code
    else if (entry?.status === 'uncertain' || entry?.status === 'paused') stands = entry.status
  }
  await sync.close({ outbox: 'discard' })
  return stands ?? 'nothing'
}

const table = {}
await Promise.all(
  Object.entries(transports).flatMap(([name, call]) => {
    const row = (table[name] = {})
    const urls = { refused: nobody, host: 'http://no-such-host.invalid', ...Object.fromEntries(Object.keys(places).map((place) => [place, base + '/' + place])) }
    return Object.entries(urls).map(async ([place, url]) => void (row[place] = await outcome(call, url)))
  }),
)
console.log(JSON.stringify(table))
process.exit(0)
`

const dependencies = {
  '@apollo/client': '^4.0.0',
  '@bufbuild/protobuf': '^2.0.0',
  '@connectrpc/connect': '^2.0.0',
  '@connectrpc/connect-web': '^2.0.0',
  '@orpc/client': '^1.0.0',
  '@supabase/supabase-js': '^2.0.0',
  '@trpc/client': '^11.0.0',
  '@trpc/server': '^11.0.0',
  '@urql/core': '*',
  axios: '^1.0.0',
  got: '*',
  graphql: '^16.0.0',
  'graphql-request': '^7.0.0',
  ky: '*',
  'node-fetch': '^3.0.0',
  ofetch: '^1.0.0',
  'openapi-fetch': '*',
  rxjs: '^7.0.0',
  superagent: '*',
  typescript: '*',
  undici: '^7.0.0',
  wretch: '*',
}

/** Where nobody answered for the application: never refused, never given up, at least not at once. */
const unanswered = ['refused', 'host', 'reset', 'cut', 'chunks', 'gateway', 'cdn', 'broken']

/** Libraries that hand on a body that is no JSON as a text, and call it a success. */
const believesAnything = new Set(['axios', 'axios over fetch', 'ofetch', 'oRPC', 'superagent'])

/** Its status has said that the write was applied, and what its body lacks nobody wanted. */
const unread = 'fetch of the context, answer unread'

/** Errors that have a status and nothing of the body: a 409 may be 'in progress', and is asked again under its key first. */
const tellsStatusOnly = new Set([
  'node-fetch',
  'undici',
  'fetch',
  'supabase, error handed on',
  'Apollo',
  'urql',
  'gRPC-web',
])

test('a write over another transport is taken back only for what a server has said', async () => {
  const project = createProject('transports', { dependencies })
  await project.install()
  project.write({ 'transports.mjs': program })
  const { code, stdout, output } = await project.run('node', ['transports.mjs'])
  expect(code, output).toBe(0)
  const table = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, Record<string, string>>
  expect(Object.keys(table).length).toBeGreaterThanOrEqual(23)
  const found = Object.entries(table).flatMap(([name, outcomes]) =>
    Object.entries(expectedOf(name)).flatMap(([place, expected]) =>
      outcomes[place] === expected ? [] : [`${name}, ${place}: ${outcomes[place]} instead of ${expected}`],
    ),
  )
  expect(found).toEqual([])
})

function expectedOf(name: string): Record<string, string> {
  const expected: Record<string, string> = { unknown: 'paused', invalid: 'rejected', newer: 'conflict' }
  for (const place of unanswered) expected[place] = 'uncertain'
  if (!believesAnything.has(name)) Object.assign(expected, { page: 'uncertain', truncated: 'uncertain' })
  if (name === unread) expected['truncated'] = 'confirmed'
  if (tellsStatusOnly.has(name)) expected['newer'] = 'uncertain'
  // It keeps the words of an answer that is not of its server, and nothing else: no status.
  if (name === 'supabase, throwOnError')
    for (const place of ['unknown', 'invalid', 'newer', 'broken']) expected[place] = 'given up'
  // Connect takes an answer of another kind for none: nothing says what a 409 or a 422 means.
  if (name === 'Connect') Object.assign(expected, { invalid: 'uncertain', newer: 'uncertain' })
  return expected
}
