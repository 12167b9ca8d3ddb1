import { readFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'

const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8')

it.each([
  ['readme-example.ts', () => import('./readme-example.ts')],
  ['readme-exchange-example.ts', () => import('./readme-exchange-example.ts')],
])('%s stands in the README, runs and prints what the README says', async (name, run) => {
  const readme = await read('../README.md')
  expect(readme).toContain(`\`\`\`ts\n${await read(name)}\`\`\``)
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(`${words.join(' ').trimEnd()}\n`)
  })
  await run()
  log.mockRestore()
  expect(readme).toContain(`\`\`\`text\n${printed.join('')}\`\`\``)
})
