import { readFile } from 'node:fs/promises'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

it('shows the example that is tested here, and what it prints', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await import('./readme-example.ts')
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(await readFile(new URL('readme-example.ts', import.meta.url), 'utf8'))
  expect(lines).toEqual(['hello.service is active (running)', 'failed: exit-code'])
  expect(readme).toContain(lines.join('\n'))
})
