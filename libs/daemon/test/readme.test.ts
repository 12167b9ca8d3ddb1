import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const example = fileURLToPath(new URL('readme-example.ts', import.meta.url))
const typescriptLoader = fileURLToPath(new URL('typescript-loader.mjs', import.meta.url))

/** Runs the example as a program of its own, and asks it to stop when it has said its first word. */
function runExample(argv: readonly string[], environment: Readonly<Record<string, string>>) {
  return new Promise<{ code: number | null; out: string; error: string }>((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--conditions=@cluster/source', `--import=${typescriptLoader}`, example, ...argv],
      { env: { PATH: process.env['PATH'], ...environment } },
    )
    let out = ''
    let error = ''
    let hasAsked = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      error += text
      if (hasAsked || !error.includes('alive')) return
      hasAsked = true
      child.kill('SIGTERM')
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, error }))
  })
}

it('shows the example that is tested here', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(await readFile(example, 'utf8'))
})

it('beats, and ends well at SIGTERM', async () => {
  expect(await runExample(['--interval', '1m'], { BEAT_RECEIVERS: 'a, b' })).toEqual({
    code: 0,
    out: '',
    error: [
      'INFO  alive receivers=["a","b"]',
      'INFO  stopping reason=SIGTERM',
      'INFO  goodbye receivers=["a","b"]',
      '',
    ].join('\n'),
  })
})

it.each([
  [['--version'], 0, 'beatd version 0.1.0\n', ''],
  [['--intervall=1s'], 2, '', 'there is no flag --intervall'],
  [['--interval=1'], 1, '', 'flag --interval: interval is "1": a duration needs a unit, such as 1s'],
])('answers %j with exit code %d', async (argv, code, out, error) => {
  const result = await runExample(argv, {})
  expect([result.code, result.out]).toEqual([code, out])
  expect(result.error).toContain(error)
})
