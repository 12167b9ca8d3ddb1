import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { whoRuns } from './readme-example.ts'

it('the example of the README is the one that is tested', async () => {
  const [readme, example] = await Promise.all(
    ['../README.md', './readme-example.ts'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  )
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
})

it('the example gives the output shown', async () => {
  const service = [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep infinity' }]
  expect(await whoRuns('hello.service', service)).toEqual(['a'.repeat(32)])
  const global = [...service, { section: 'X-Fleet', name: 'Global', value: 'true' }]
  expect(await whoRuns('everywhere.service', global)).toEqual(['a'.repeat(32), 'b'.repeat(32)])
})
