import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'

it('the example of the README is this program, and prints what the README says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(`\`\`\`js\n${readFileSync(new URL('readme-example.mjs', import.meta.url), 'utf8')}\`\`\``)
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  using _log = vi.spyOn(console, 'log').mockImplementation(write)
  using _error = vi.spyOn(console, 'error').mockImplementation(write)
  await import(new URL('readme-example.mjs', import.meta.url).href)
  expect(`${lines.join('\n')}\n`).toBe(/```text\n(.*?)```/s.exec(readme)?.[1])
})
