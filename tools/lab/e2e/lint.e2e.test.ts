/** `systemd-analyze verify` of a machine agrees with lint on those findings that it has, bad example and good one. */
import { encodeText, type LintFile, lintCatalogue, lintExamples } from '@cluster/unit-file'
import { beforeAll, describe, expect, it } from 'vitest'
import { freshCluster, theLab } from './scenario.ts'

const shared = lintCatalogue.filter(({ verify }) => verify !== 'silent')

/** Runs verify on each set of files in a folder of its own; prints the exit status and whether it said anything. */
const script = (sets: readonly (readonly [name: string, files: readonly LintFile[]])[]): string =>
  [
    'root=$(mktemp -d)',
    ...sets.flatMap(([name, files]) => {
      const [main] = files
      return [
        `mkdir -p "$root/${name}" && cd "$root/${name}"`,
        ...files.map(({ path, text }) => `printf %s ${base64(text)} | base64 -d > ${quoted(path)}`),
        `output=$(systemd-analyze verify --man=no ./${quoted(main?.path ?? '')} 2>&1)`,
        `echo ${name} $? $([ -n "$output" ] && echo says)`,
      ]
    }),
    'rm -r "$root"',
  ].join('\n')

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Bytes of an example: U+DC80 to U+DCFF stand for single ones. */
const base64 = (text: LintFile['text']): string =>
  Buffer.from(typeof text === 'string' ? encodeText(text) : text).toString('base64')

type Answer = 'silent' | 'warns' | 'fails'
let answers: ReadonlyMap<string, Answer> = new Map()

beforeAll(async () => {
  await freshCluster()
  const sets = shared.flatMap(({ id }) => [
    [`bad-${id}`, lintExamples[id].bad] as const,
    [`good-${id}`, lintExamples[id].good] as const,
  ])
  const stdout = await theLab().run('m1', ['sh'], { input: script(sets) })
  answers = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', status, says]) => [name, status !== '0' ? 'fails' : says === undefined ? 'silent' : 'warns']),
  )
})

describe.each(shared)('$id, $title', ({ id, verify }) => {
  it('is told of the bad example, and of the good one nothing', () => {
    expect({ bad: answers.get(`bad-${id}`), good: answers.get(`good-${id}`) }).toEqual({ bad: verify, good: 'silent' })
  })
})
