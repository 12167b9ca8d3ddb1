import { readFileSync } from 'node:fs'
import { format } from 'node:util'
import { expect, it, vi } from 'vitest'

it('the example of the README is this program, and prints what the README says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL('readme-example.ts', import.meta.url), 'utf8')}\`\`\``)
  const lines: string[] = []
  using _log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => void lines.push(format(...values)))
  await import('./readme-example.ts')
  expect(`${lines.join('\n')}\n`).toBe(/```text\n(.*?)```/s.exec(readme)?.[1])
})
