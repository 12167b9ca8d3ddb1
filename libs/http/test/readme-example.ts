import { createHttpClient, createRouter, jsonResponse, readText, route, serve } from '@cluster/http'

const router = createRouter([
  route('GET', '/machines', () => jsonResponse(200, ['m1', 'm2'])),
  route('PUT', '/machines/:id/notes', async (request, parameters) =>
    jsonResponse(201, { machine: parameters.get('id'), note: await readText(request.body, { sizeBytesMax: 1024 }) }),
  ),
])

const listener = await serve(router, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
const client = createHttpClient()

const noted = await client.fetch({
  url: `${listener.url}/machines/m%201/notes`,
  method: 'PUT',
  body: 'moved to rack 7',
  timeToHeadersMs: 1000,
})
console.log(noted.status, await readText(noted.body))

const unknown = await client.fetch({ url: `${listener.url}/nothing` })
console.log(unknown.status, await readText(unknown.body))

await client[Symbol.asyncDispose]()
await listener.close(1000)
