/** The mock server's routes as MSW's request handlers. Faults of the network become MSW's network errors. */
import type { HttpHandler } from 'msw'
import { HttpResponse, http } from 'msw'
import type { Network } from './network'
import type { ResolvedOptions } from './options'

/** In the order of `server.handlers`; each leads to the same server. */
export function createHandlers(network: Network, options: ResolvedOptions): HttpHandler[] {
  const { tables, plain, stream, origin = '*', apiPath, syncPath } = options
  const resolve = async ({ request }: { request: Request }): Promise<Response> => {
    try {
      return await network.send(request)
    } catch {
      return HttpResponse.error()
    }
  }
  const rest = [...tables.keys()].flatMap((name) => {
    const list = `${origin}${apiPath}/${name}`
    const row = `${list}/:id`
    return [
      http.get(list, resolve),
      http.post(list, resolve),
      http.get(row, resolve),
      http.put(row, resolve),
      http.patch(row, resolve),
      http.delete(row, resolve),
    ]
  })
  if (plain) return rest
  const sync = `${origin}${syncPath}`
  return [
    ...(stream === false ? [] : [http.get(sync, resolve), http.get(`${sync}/stream`, resolve)]),
    http.get(`${sync}/queries/*`, resolve),
    http.post(`${sync}/mutations`, resolve),
    http.post(`${sync}/mutations/*`, resolve),
    ...rest,
  ]
}
