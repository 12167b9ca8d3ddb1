import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@cluster/prelude'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchProcess } from './batch-process.ts'

/** Says what `ip -force -batch -` says: nothing, a complaint with the number of the line, or its last words. */
const program = `#!/bin/sh
line=0
while read -r word rest; do
  line=$((line + 1))
  case $word in
    fail) printf 'RTNETLINK answers: %s\\nCommand failed -:%d\\n' "$rest" $line >&2 ;;
    print) echo "$rest" ;;
    die) echo "$rest" >&2; exit 2 ;;
    hang) while read -r word; do :; done ;;
    end-of-batch) printf 'Object "end-of-batch" is unknown\\nCommand failed -:%d\\n' $line >&2 ;;
  esac
done
`

describe('a program in batch mode', () => {
  let folder = ''
  let path = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batch-'))
    path = join(folder, 'program')
    await writeFile(path, program)
    await chmod(path, 0o755)
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Time passes only when the test says so. */
  const open = (): { readonly batch: BatchProcess; readonly pass: () => void } => {
    const sleeping: (() => void)[] = []
    const clock: Clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve) => {
          sleeping.push(resolve)
          signal?.addEventListener('abort', () => resolve())
        }),
    }
    return {
      batch: new BatchProcess(['sh', path], { clock }),
      pass: () => {
        for (const wake of sleeping.splice(0)) wake()
      },
    }
  }

  it('names the lines that failed, run after run', async () => {
    const { batch } = open()
    await using _ = batch
    const first = await batch.run(['ok', 'fail File exists', 'ok', 'fail No such device'])
    expect(first).toMatchObject({ kind: 'done' })
    expect([...first.complaints]).toEqual([
      [1, 'RTNETLINK answers: File exists\n'],
      [3, 'RTNETLINK answers: No such device\n'],
    ])
    expect([...(await batch.run(['fail again'])).complaints]).toEqual([[0, 'RTNETLINK answers: again\n']])
    expect(await batch.run([])).toMatchObject({ kind: 'done', output: [] })
  })
  it('waits for what is printed by the lines that succeed', async () => {
    const { batch } = open()
    await using _ = batch
    expect(await batch.run(['print [1]', 'fail unreachable', 'print [2]'], { outputs: true })).toMatchObject({
      kind: 'done',
      output: ['[1]', '[2]'],
    })
  })
  it('knows the last words of one that ended, and starts it anew', async () => {
    const { batch } = open()
    await using _ = batch
    const outcome = await batch.run(['fail one', 'ok', 'die RTNETLINK answers: No such file or directory', 'ok'])
    expect(outcome).toMatchObject({ kind: 'died', lastWords: 'RTNETLINK answers: No such file or directory' })
    expect([...outcome.complaints.keys()]).toEqual([0])
    expect(await batch.run(['ok'])).toMatchObject({ kind: 'done' })
  })
  it('ends one that does not answer', async () => {
    const { batch, pass } = open()
    await using _ = batch
    const late = batch.run(['hang'])
    pass()
    await expect(late).rejects.toMatchObject({ code: 'linux-net/timeout' })
    expect(await batch.run(['ok'])).toMatchObject({ kind: 'done' })
  })
  it('ends a run that is on its way when it is stopped', async () => {
    const { batch } = open()
    await using _ = batch
    const cut = batch.run(['hang'])
    batch.stop()
    expect(await cut).toMatchObject({ kind: 'died' })
  })
})
