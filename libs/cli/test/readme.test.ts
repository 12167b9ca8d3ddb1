import { readFileSync } from 'node:fs'
import { afterEach, expect, it, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

afterEach(() => vi.restoreAllMocks())

it('the example of the README runs and prints what the README says', async () => {
  const printed: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...words) => printed.push(`${words.join(' ')}\n`))
  await import('./readme-example.ts')
  const [, code = '', output = ''] = /```ts\n(.*?)```\n\nIt prints\n\n```\n(.*?)```/s.exec(readme) ?? []
  expect(code).toBe(readFileSync(new URL('./readme-example.ts', import.meta.url), 'utf8'))
  expect(printed.join('')).toBe(output)
})
