// What other people's transports reject with, as they make it. Each member says what it means and, where the answer has
// words for people, what a person reads.
import type { Meaning } from '../../src/base/meaning'

/** What becomes of a write that ends like this. */
export type Expected = Extract<
  Meaning,
  'unanswered' | 'unclear' | 'failed' | 'refused' | 'conflict' | 'credentials' | 'bug'
>

export interface Member {
  readonly name: string
  readonly make: () => unknown
  readonly means: Expected
  /** What the entry's failure says; a part of it. */
  readonly reads?: string
}

const named = (name: string, message: string, more?: object) => Object.assign(new Error(message), { name }, more)
const typeError = (message: string, cause?: unknown) =>
  new TypeError(message, cause === undefined ? undefined : { cause })
const system = (code: string) => named('Error', `connect ${code} 10.0.0.1:443`, { code, syscall: 'connect' })
const answered = (status: number, data: unknown) => ({ response: { status, data } })

const lost: readonly Omit<Member, 'means'>[] = [
  { name: 'fetch, Chromium', make: () => typeError('Failed to fetch') },
  { name: 'fetch, Chromium with the host', make: () => typeError('Failed to fetch (api.example.com)') },
  { name: 'fetch, Chromium in the body', make: () => typeError('network error') },
  { name: 'fetch, Firefox', make: () => typeError('NetworkError when attempting to fetch resource.') },
  { name: 'fetch, Firefox in the body', make: () => typeError('Error in input stream') },
  {
    name: 'fetch, Firefox in a body that was closed',
    make: () => typeError('Content-Length header of network response exceeds response Body.'),
  },
  { name: 'fetch, WebKit', make: () => typeError('Load failed') },
  { name: 'fetch, WebKit with the host', make: () => typeError('Load failed (api.example.com)') },
  { name: 'fetch, Safari 16 offline', make: () => typeError('The Internet connection appears to be offline.') },
  { name: 'fetch, Safari 16 lost', make: () => typeError('The network connection was lost.') },
  { name: 'fetch, undici', make: () => typeError('fetch failed', system('ECONNREFUSED')) },
  {
    name: 'fetch, undici in the body',
    make: () => typeError('terminated', named('SocketError', 'other side closed', { code: 'UND_ERR_SOCKET' })),
  },
  { name: 'fetch, undici without a cause', make: () => typeError('fetch failed') },
  {
    name: 'fetch, Bun',
    make: () =>
      named('Error', 'Unable to connect. Is the computer able to access the url?', {
        code: 'ConnectionRefused',
        cause: system('ECONNREFUSED'),
      }),
  },
  { name: 'fetch, Bun as a TypeError', make: () => typeError('A network error occurred.') },
  { name: 'whatwg-fetch and React Native', make: () => typeError('Network request failed') },
  { name: 'React Native, time-out', make: () => typeError('Network request timed out') },
  { name: 'fetch, AbortSignal.timeout', make: () => new DOMException('The operation timed out.', 'TimeoutError') },
  { name: 'fetch, aborted', make: () => new DOMException('The user aborted a request.', 'AbortError') },
  { name: 'DOMException NetworkError', make: () => new DOMException('A network error occurred.', 'NetworkError') },
  {
    name: 'node-fetch',
    make: () =>
      named('FetchError', 'request to http://x failed, reason: connect ECONNREFUSED', {
        type: 'system',
        code: 'ECONNREFUSED',
      }),
  },
  {
    name: 'node-fetch, body cut',
    make: () => named('FetchError', 'Premature close', { type: 'system', code: 'ERR_STREAM_PREMATURE_CLOSE' }),
  },
  {
    name: 'node-fetch, time-out',
    make: () => named('FetchError', 'network timeout at: http://x', { type: 'request-timeout' }),
  },
  { name: 'axios', make: () => named('AxiosError', 'Network Error', { code: 'ERR_NETWORK', isAxiosError: true }) },
  {
    name: 'axios, time-out',
    make: () => named('AxiosError', 'timeout of 50ms exceeded', { code: 'ECONNABORTED', isAxiosError: true }),
  },
  {
    name: 'axios, cancelled',
    make: () => named('CanceledError', 'canceled', { code: 'ERR_CANCELED', __CANCEL__: true }),
  },
  {
    name: 'axios, 503',
    make: () =>
      named('AxiosError', 'Request failed with status code 503', { isAxiosError: true, ...answered(503, '<html>') }),
  },
  { name: 'ky, time-out', make: () => named('TimeoutError', 'Request timed out: POST /api') },
  {
    name: 'ofetch',
    make: () =>
      named('FetchError', '[POST] "/api": <no response> Failed to fetch', { cause: typeError('Failed to fetch') }),
  },
  {
    name: 'ofetch, time-out',
    make: () => named('FetchError', '[POST] "/api": <no response>', { cause: new DOMException('', 'TimeoutError') }),
  },
  { name: 'got', make: () => named('RequestError', 'getaddrinfo ENOTFOUND x', { code: 'ENOTFOUND' }) },
  {
    name: 'got, time-out',
    make: () => named('TimeoutError', "Timeout awaiting 'request' for 50ms", { code: 'ETIMEDOUT' }),
  },
  { name: 'got, cut', make: () => named('ReadError', 'The server aborted pending request', { code: 'ECONNRESET' }) },
  {
    name: 'superagent in Node',
    make: () => named('Error', 'connect ECONNREFUSED', { code: 'ECONNREFUSED', errno: -111 }),
  },
  {
    name: 'superagent in a browser',
    make: () =>
      named('Error', 'Request has been terminated\nPossible causes: the network is offline', {
        crossDomain: true,
        status: undefined,
      }),
  },
  {
    name: 'superagent, time-out',
    make: () => named('Error', 'Timeout of 50ms exceeded', { timeout: 50, code: 'ECONNABORTED', errno: 'ETIME' }),
  },
  {
    name: 'undici request',
    make: () => named('HeadersTimeoutError', 'Headers Timeout Error', { code: 'UND_ERR_HEADERS_TIMEOUT' }),
  },
  {
    name: 'https, certificate of a captive portal',
    make: () =>
      typeError('fetch failed', named('Error', 'self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })),
  },
  {
    name: 'http2 session closed',
    make: () => named('Error', 'The session has been destroyed', { code: 'ERR_HTTP2_INVALID_SESSION' }),
  },
  {
    name: 'AggregateError of addresses',
    make: () =>
      typeError(
        'fetch failed',
        Object.assign(new AggregateError([system('ECONNREFUSED'), system('ENETUNREACH')]), { code: 'ECONNREFUSED' }),
      ),
  },
  {
    name: 'an error of the application around AggregateError',
    make: () => named('ApiError', 'no luck', { cause: new AggregateError([system('EHOSTUNREACH')]) }),
  },
  { name: 'XMLHttpRequest, jQuery: status 0', make: () => ({ readyState: 0, status: 0, statusText: 'error' }) },
  {
    name: 'Angular: status 0',
    make: () => ({
      name: 'HttpErrorResponse',
      status: 0,
      statusText: 'Unknown Error',
      ok: false,
      message: 'Http failure response for /api: 0 Unknown Error',
    }),
  },
  {
    name: 'Apollo 3',
    make: () =>
      named('ApolloError', 'Failed to fetch', { networkError: typeError('Failed to fetch'), graphQLErrors: [] }),
  },
  {
    name: 'urql',
    make: () =>
      named('CombinedError', '[Network] Failed to fetch', {
        networkError: typeError('Failed to fetch'),
        graphQLErrors: [],
      }),
  },
  {
    name: 'tRPC',
    make: () => named('TRPCClientError', 'Failed to fetch', { cause: typeError('Failed to fetch'), data: undefined }),
  },
  {
    name: 'oRPC',
    make: () => named('Error', 'cannot reach', { cause: named('E', 'inner', { cause: typeError('Load failed') }) }),
  },
  {
    name: 'supabase, error handed on',
    make: () => ({ message: 'TypeError: Failed to fetch', details: '', hint: '', code: '' }),
  },
  {
    name: 'supabase, WebKit in German',
    make: () => ({ message: 'TypeError: Es besteht anscheinend keine Verbindung.', details: '', hint: '', code: '' }),
  },
  {
    name: 'supabase in Node',
    make: () => ({ message: 'TypeError: fetch failed', details: 'x', hint: '', code: 'ECONNREFUSED' }),
  },
  { name: 'Firestore', make: () => named('FirebaseError', 'the client is offline.', { code: 'unavailable' }) },
  {
    name: 'Firebase Functions',
    make: () => named('FirebaseError', 'internal', { code: 'functions/deadline-exceeded' }),
  },
  {
    name: 'Firebase Auth',
    make: () => named('FirebaseError', 'A network error', { code: 'auth/network-request-failed' }),
  },
  {
    name: 'gRPC-web, unavailable',
    make: () => named('RpcError', 'Http response at 400 or 500 level', { code: 14, metadata: {} }),
  },
  { name: 'gRPC-web, deadline', make: () => named('RpcError', 'Deadline exceeded', { code: 4, metadata: {} }) },
  {
    name: 'Connect, unavailable',
    make: () => named('ConnectError', '[unavailable] Failed to fetch', { code: 14, metadata: new Headers() }),
  },
  { name: 'AWS SDK 2', make: () => named('NetworkingError', 'Network Failure', { code: 'NetworkingError' }) },
  { name: 'AWS SDK 3, time-out', make: () => named('TimeoutError', 'socket hang up', { $metadata: {} }) },
  { name: 'ethers', make: () => named('Error', 'could not detect network', { code: 'NETWORK_ERROR' }) },
  {
    name: 'got, cut before its length',
    make: () =>
      named('ReadError', 'Content-Length mismatch: expected 100 bytes, received 14 bytes', {
        code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
      }),
  },
  {
    name: 'Connect, lost',
    make: () =>
      named('ConnectError', '[unknown] fetch failed', {
        ...{ code: 2, metadata: new Headers(), isWireError: false },
        cause: typeError('fetch failed'),
      }),
  },
  {
    name: 'Connect, a status of a CDN',
    make: () =>
      named('ConnectError', '[unknown] HTTP 522', {
        ...{ code: 2, metadata: new Headers(), isWireError: false, rawMessage: 'HTTP 522' },
      }),
  },
  {
    name: 'tRPC, a page of a gateway',
    make: () =>
      named('TRPCClientError', 'Unexpected token <', {
        cause: new SyntaxError('Unexpected token <'),
        meta: { response: new Response('<html>', { status: 502 }) },
      }),
  },
]

const others: readonly Member[] = [
  // An answer that says so.
  {
    name: 'tRPC, an answer of something else',
    means: 'refused',
    reads: 'A title is needed.',
    make: () =>
      named('TRPCClientError', 'Unable to transform response from server', {
        meta: { response: new Response('{}', { status: 422 }), responseJSON: { message: 'A title is needed.' } },
      }),
  },
  {
    name: 'Connect, refused by the server',
    means: 'refused',
    reads: 'A title is needed.',
    make: () =>
      named('ConnectError', '[invalid_argument] A title is needed.', {
        ...{ code: 3, metadata: new Headers(), isWireError: true, rawMessage: 'A title is needed.' },
      }),
  },
  {
    name: 'Connect, a page instead of an envelope',
    means: 'unclear',
    make: () =>
      named('ConnectError', '[invalid_argument] protocol error: incomplete envelope', {
        ...{ code: 3, metadata: new Headers(), isWireError: false },
      }),
  },
  { name: 'supabase, a page of a gateway', means: 'unclear', make: () => ({ message: '<h1>Service Unavailable' }) },
  { name: 'supabase, cut', means: 'unclear', make: () => ({ message: '{"data":{"a":1' }) },
  {
    name: 'graphql-request, a page',
    means: 'unclear',
    make: () => new Error('Invalid execution result: result is not object or array. Got: <html>Please log in'),
  },
  { name: 'openapi-fetch, a page that was thrown', means: 'unclear', make: () => '<h1>Service Unavailable' },
  {
    name: 'openapi-fetch, a body that was thrown',
    means: 'bug',
    reads: 'A title is needed.',
    make: () => ({ message: 'A title is needed.' }),
  },
  {
    name: 'undici, a wrong argument',
    means: 'bug',
    reads: '"mutationFn" threw: invalid method',
    make: () => named('InvalidArgumentError', 'invalid method', { code: 'UND_ERR_INVALID_ARG' }),
  },
  {
    name: 'axios, an address that cannot be',
    means: 'bug',
    make: () => named('AxiosError', 'Invalid URL', { code: 'ERR_INVALID_URL', isAxiosError: true }),
  },
  {
    name: 'axios, 422 of Laravel',
    means: 'refused',
    reads: 'The title field is required.',
    make: () =>
      named('AxiosError', 'Request failed with status code 422', {
        isAxiosError: true,
        ...answered(422, {
          message: 'The title field is required.',
          errors: { title: ['The title field is required.'] },
        }),
      }),
  },
  {
    name: 'axios, 404 without a body',
    means: 'refused',
    reads: 'status code 404',
    make: () =>
      named('AxiosError', 'Request failed with status code 404', { isAxiosError: true, ...answered(404, '') }),
  },
  {
    name: 'axios, 500',
    means: 'failed',
    make: () =>
      named('AxiosError', 'Request failed with status code 500', {
        isAxiosError: true,
        ...answered(500, { error: 'boom' }),
      }),
  },
  {
    name: 'axios, 401',
    means: 'credentials',
    make: () =>
      named('AxiosError', 'Request failed with status code 401', { isAxiosError: true, ...answered(401, {}) }),
  },
  {
    name: 'ky, 409',
    means: 'conflict',
    make: () =>
      named('HTTPError', 'Request failed with status code 409', { response: new Response('{}', { status: 409 }) }),
  },
  {
    name: 'ofetch, 400',
    means: 'refused',
    reads: 'Titles are short.',
    make: () =>
      named('FetchError', '[POST] "/api": 400 Bad Request', {
        status: 400,
        statusCode: 400,
        data: { error: 'Titles are short.' },
      }),
  },
  {
    name: 'ofetch, 200 that is no JSON',
    means: 'unclear',
    make: () =>
      named('FetchError', '[POST] "/api": 200 OK Unexpected token', {
        status: 200,
        cause: new SyntaxError('Unexpected token <'),
      }),
  },
  {
    name: 'got, 422',
    means: 'refused',
    reads: 'Titles are short.',
    make: () =>
      named('HTTPError', 'Response code 422', {
        code: 'ERR_NON_2XX_3XX_RESPONSE',
        response: { statusCode: 422, body: '{"message":"Titles are short."}' },
      }),
  },
  {
    name: 'superagent, 403',
    means: 'refused',
    reads: 'Not yours.',
    make: () =>
      named('Error', 'Forbidden', {
        status: 403,
        response: { status: 403, body: { error: { message: 'Not yours.' } } },
      }),
  },
  {
    name: 'Angular, 200 that is no JSON',
    means: 'unclear',
    make: () => ({
      name: 'HttpErrorResponse',
      status: 200,
      ok: false,
      message: 'Http failure during parsing',
      error: { error: new SyntaxError('x'), text: '<html>' },
    }),
  },
  {
    name: 'Apollo 3, errors of the schema',
    means: 'refused',
    reads: 'Not yours.',
    make: () => named('ApolloError', 'Not yours.', { graphQLErrors: [{ message: 'Not yours.' }], networkError: null }),
  },
  {
    name: 'Apollo 4, errors of the schema',
    means: 'refused',
    make: () => named('CombinedGraphQLErrors', 'Not yours.', { errors: [{ message: 'Not yours.' }] }),
  },
  {
    name: 'Apollo 4, 503',
    means: 'unanswered',
    make: () =>
      named('ServerError', 'Response not successful: Received status code 503', { statusCode: 503, bodyText: '' }),
  },
  {
    name: 'urql, errors of the schema',
    means: 'refused',
    make: () =>
      named('CombinedError', '[GraphQL] Not yours.', {
        graphQLErrors: [{ message: 'Not yours.' }],
        networkError: undefined,
      }),
  },
  {
    name: 'graphql-request',
    means: 'refused',
    make: () =>
      named('Error', 'Not yours.', { response: { status: 200, errors: [{ message: 'Not yours.' }] }, request: {} }),
  },
  {
    name: 'tRPC, bad request',
    means: 'refused',
    reads: 'Titles are short.',
    make: () =>
      named('TRPCClientError', 'Titles are short.', { data: { code: 'BAD_REQUEST', httpStatus: 400, path: 'add' } }),
  },
  {
    name: 'tRPC, internal error',
    means: 'failed',
    make: () => named('TRPCClientError', 'boom', { data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 } }),
  },
  {
    name: 'oRPC, not found',
    means: 'refused',
    make: () => named('ORPCError', 'No such list.', { code: 'NOT_FOUND', status: 404, defined: true }),
  },
  {
    name: 'oRPC, too many requests',
    means: 'unanswered',
    make: () => named('ORPCError', 'Slow down.', { code: 'TOO_MANY_REQUESTS', status: 429 }),
  },
  {
    name: 'supabase, unique violation',
    means: 'refused',
    reads: 'duplicate key value',
    make: () => ({
      message: 'duplicate key value violates unique constraint',
      details: 'Key (id)=(1) already exists.',
      hint: null,
      code: '23505',
    }),
  },
  {
    name: 'gRPC-web, invalid argument',
    means: 'refused',
    make: () => named('RpcError', 'titles are short', { code: 3, metadata: {} }),
  },
  {
    name: 'gRPC-web, unauthenticated',
    means: 'credentials',
    make: () => named('RpcError', 'no token', { code: 16, metadata: {} }),
  },
  { name: 'gRPC-web, internal', means: 'failed', make: () => named('RpcError', 'boom', { code: 13, metadata: {} }) },
  {
    name: 'AWS SDK 3, validation',
    means: 'refused',
    make: () => named('ValidationException', 'too long', { $metadata: { httpStatusCode: 400 } }),
  },
  {
    name: 'Feathers',
    means: 'refused',
    make: () => named('BadRequest', 'Titles are short.', { code: 400, className: 'bad-request' }),
  },
  {
    name: 'an error of the application around axios',
    means: 'refused',
    make: () => named('ApiError', 'no', { cause: named('AxiosError', 'x', answered(422, { detail: 'no' })) }),
  },
  // Nothing says which.
  {
    name: 'fetch, WebKit in German',
    means: 'unclear',
    make: () => typeError('Es besteht anscheinend keine Verbindung zum Internet.'),
  },
  {
    name: 'fetch, WebKit in French',
    means: 'unclear',
    make: () => typeError('La connexion Internet semble interrompue.'),
  },
  {
    name: 'fetch, WebKit in Japanese',
    means: 'unclear',
    make: () => typeError('インターネット接続がオフラインのようです。'),
  },
  {
    name: 'JSON of a page',
    means: 'unclear',
    make: () => new SyntaxError('Unexpected token \'<\', "<!DOCTYPE "... is not valid JSON'),
  },
  { name: 'JSON that ends early', means: 'unclear', make: () => new SyntaxError('Unexpected end of JSON input') },
  {
    name: 'node-fetch, JSON of a page',
    means: 'unclear',
    make: () => named('FetchError', 'invalid json response body', { type: 'invalid-json' }),
  },
  // Mistakes of the program, in the words of three engines.
  { name: 'V8: not a function', means: 'bug', make: () => typeError('todos.map is not a function') },
  {
    name: 'V8: of undefined',
    means: 'bug',
    make: () => typeError("Cannot read properties of undefined (reading 'id')"),
  },
  {
    name: 'V8: not iterable',
    means: 'bug',
    make: () => typeError('undefined is not iterable (cannot read property Symbol(Symbol.iterator))'),
  },
  { name: 'V8: a circle', means: 'bug', make: () => typeError('Converting circular structure to JSON') },
  {
    name: 'V8: an address',
    means: 'bug',
    make: () => typeError("Failed to execute 'fetch' on 'Window': Failed to parse URL from http://[x"),
  },
  {
    name: 'V8: GET with a body',
    means: 'bug',
    make: () => typeError("Failed to execute 'fetch' on 'Window': Request with GET/HEAD method cannot have body."),
  },
  {
    name: 'JavaScriptCore: undefined',
    means: 'bug',
    make: () => typeError("undefined is not an object (evaluating 'a.id')"),
  },
  {
    name: 'JavaScriptCore: not a function',
    means: 'bug',
    make: () => typeError("a.map is not a function. (In 'a.map()', 'a.map' is undefined)"),
  },
  {
    name: 'JavaScriptCore: an address',
    means: 'bug',
    make: () => typeError('URL is not valid or contains user credentials.'),
  },
  {
    name: 'SpiderMonkey: undefined',
    means: 'bug',
    make: () => typeError('can\'t access property "id", a is undefined'),
  },
  {
    name: 'SpiderMonkey: an address',
    means: 'bug',
    make: () => typeError('Window.fetch: http://[x is not a valid URL.'),
  },
  {
    name: 'undici: an address',
    means: 'bug',
    make: () =>
      typeError('Failed to parse URL from /api', named('TypeError', 'Invalid URL', { code: 'ERR_INVALID_URL' })),
  },
  { name: 'ReferenceError', means: 'bug', make: () => new ReferenceError('todo is not defined') },
  { name: 'RangeError', means: 'bug', make: () => new RangeError('Maximum call stack size exceeded') },
  { name: 'an error of the application', means: 'bug', make: () => new Error('no list is open') },
  { name: 'a text', means: 'bug', make: () => 'no' },
  { name: 'undefined', means: 'bug', make: () => undefined },
  {
    name: 'an error that is its own cause',
    means: 'bug',
    make: () => {
      const error = new Error('round')
      error.cause = error
      return error
    },
  },
]

/** Every member. */
export const ERRORS: readonly Member[] = [...lost.map((each) => ({ ...each, means: 'unanswered' as const })), ...others]
