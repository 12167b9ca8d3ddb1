import { readFile } from 'node:fs/promises'
import { serve } from '@cluster/http'
import { expect, it } from 'vitest'
import { report } from './readme-example.ts'

it('the example of the README is the one that is tested', async () => {
  const [readme, example] = await Promise.all(
    ['../README.md', './readme-example.ts'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  )
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
})

it('the example gives the output shown', async () => {
  const bodies: Record<string, string> = {
    'GET /fleet/v1/units': '{"units":[{"name":"hello.service","desiredState":"launched","options":[]}]}',
    'GET /fleet/v1/units/hello.service/why':
      '{"unit":"hello.service","situation":"waiting","lines":["hello.service: no machine is there"],"machines":[]}',
  }
  await using listener = await serve(
    ({ method, target }) => {
      const body = bodies[`${method} ${target}`]
      return body === undefined ? { status: 201 } : { status: 200, body }
    },
    { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
  )
  expect(await report(listener.url)).toEqual(['hello.service launched -', 'hello.service: no machine is there'])
})
