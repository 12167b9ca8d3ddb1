import { serveExchanges } from '@cluster/http'

const listener = await serveExchanges(
  (exchange) => {
    if (exchange.target === '/events') {
      const stream = exchange.stream(200, 'Content-Type: application/json\r\n')
      stream.write('{"event":1}\n')
      stream.end()
      return
    }
    const type = exchange.header('content-type') ?? 'nothing'
    exchange.respond(
      200,
      'Content-Type: text/plain\r\n',
      `${exchange.method} of ${exchange.body.length} bytes of ${type}`,
    )
  },
  { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
)

const headers = { 'content-type': 'text/plain' }
const put = await fetch(`${listener.url}/a`, { method: 'PUT', headers, body: 'hello' })
console.log(put.status, await put.text())
const events = await fetch(`${listener.url}/events`)
console.log(events.status, await events.text())

await listener.close(1000)
