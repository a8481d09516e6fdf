import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { render } from './dist/server/entry-server.js'

const template = readFileSync('dist/client/index.html', 'utf8')

const server = createServer(async (request, response) => {
  if (extname(request.url ?? '') === '.js') {
    response.setHeader('content-type', 'text/javascript')
    return response.end(readFileSync(`dist/client${request.url}`))
  }
  const { html, state } = await render(request.headers.cookie)
  const json = JSON.stringify(state).replaceAll('<', '\\u003c') // what users write never ends the script
  const script = `<script type="application/json" id="state">${json}</script>`
  response.setHeader('content-type', 'text/html')
  response.end(template.replace('<!--app-->', () => html).replace('<!--state-->', () => script))
})

server.listen(0, '127.0.0.1', () => console.log(`Listening on ${server.address().port}`))
