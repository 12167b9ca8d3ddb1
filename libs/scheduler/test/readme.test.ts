import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const example = readFileSync(new URL('./readme-example.ts', import.meta.url), 'utf8')

it('shows the example as it is', () => {
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
})

it('shows what the example prints', async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    lines.push(words.join(' '))
  })
  await import('./readme-example.ts')
  log.mockRestore()
  expect(readme).toContain(`prints\n\n\`\`\`\n${lines.join('\n')}\n\`\`\``)
})

it('has an example of twelve lines that is plain JavaScript too', () => {
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(12)
  const directory = mkdtempSync(join(tmpdir(), 'scheduler-readme-'))
  writeFileSync(join(directory, 'example.mjs'), example)
  const { status, stderr } = spawnSync(process.execPath, ['--check', join(directory, 'example.mjs')], {
    encoding: 'utf8',
  })
  rmSync(directory, { recursive: true })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
