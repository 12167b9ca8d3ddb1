import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8')
const examples = ['./readme-example.ts', './readme-held-example.ts'].map((file) => ({ file, text: read(file) }))

it.each(examples)('shows $file as it is, and what it prints', async ({ file, text }) => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    lines.push(words.join(' '))
  })
  await import(file)
  log.mockRestore()
  expect(readme).toContain(`\`\`\`ts\n${text}\`\`\`\n\nprints\n\n\`\`\`\n${lines.join('\n')}\n\`\`\``)
})

it.each(examples)('shows $file in twenty lines of plain JavaScript at most', ({ text: example }) => {
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
  const directory = mkdtempSync(join(tmpdir(), 'scheduler-readme-'))
  writeFileSync(join(directory, 'example.mjs'), example)
  const { status, stderr } = spawnSync(process.execPath, ['--check', join(directory, 'example.mjs')], {
    encoding: 'utf8',
  })
  rmSync(directory, { recursive: true })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
