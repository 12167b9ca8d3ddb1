import { expect, it } from 'vitest'
import { runCommand, runOrThrow } from './command.ts'

it('gives what a program said and its exit code', async () => {
  const lines: string[] = []
  const result = await runCommand('sh', ['-c', 'cat; echo no >&2; exit 3'], {
    input: 'one\ntwo',
    onLine: (line) => lines.push(line),
  })
  expect(result).toEqual({ code: 3, stdout: 'one\ntwo', stderr: 'no\n' })
  expect(lines.sort()).toEqual(['no', 'one', 'two'])
})

it('says what a program that must succeed said when it failed', async () => {
  await expect(runOrThrow('sh', ['-c', 'echo the disk is full >&2; exit 1'])).rejects.toMatchObject({
    code: 'lab/command-failed',
    message: expect.stringContaining('the disk is full'),
  })
})

it('names a program that is not there', async () => {
  await expect(runCommand('no-such-program', [])).rejects.toMatchObject({ code: 'lab/command-failed' })
})

it('ends a shell together with the program that it waits for', async () => {
  const ending = new AbortController()
  const running = runCommand('sh', ['-c', 'echo up; sleep 1000; echo never'], {
    signal: ending.signal,
    onLine: () => ending.abort(),
  })
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
})
