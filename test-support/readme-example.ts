/** What the README test of every library asks for. */
import { readFile } from 'node:fs/promises'
import { expect, vi } from 'vitest'

/**
 * Runs `readme-example.ts` beside the test and expects that the README shows its text and what it prints, to the letter.
 *
 * @param test the test's `import.meta.url`
 */
export async function expectReadmeExample(test: string): Promise<void> {
  const read = (name: string): Promise<string> => readFile(new URL(name, test), 'utf8')
  const readme = await read('../README.md')
  const example = await read('readme-example.ts')
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(`${words.join(' ').trimEnd()}\n`)
  })
  await import(new URL('readme-example.ts', test).href)
  log.mockRestore()
  expect(readme).toContain(`\`\`\`text\n${printed.join('')}\`\`\``)
}
