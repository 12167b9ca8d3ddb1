import { readFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'

const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8')

it('the example in the README runs and prints what the README says', async () => {
  const readme = await read('../README.md')
  const example = await read('readme-example.ts')
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(`${words.join(' ').trimEnd()}\n`)
  })
  await import('./readme-example.ts')
  log.mockRestore()
  expect(readme).toContain(`\`\`\`text\n${printed.join('')}\`\`\``)
})
