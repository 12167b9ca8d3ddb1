import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { findCorpus } from '../src/units/corpus.ts'
import { benchUnits } from '../src/units/units.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

it('measures both readings beside ini, or says where units are wanted', () => {
  const said: string[] = []
  const context = { root, folder: tmpdir(), say: (line: string) => void said.push(line) }
  const measure = () => benchUnits({ rounds: 1, seconds: 0.01 }, context)
  const corpus = findCorpus(root)
  if (corpus === undefined) {
    expect(measure).toThrow(expect.objectContaining({ code: 'bench/no-corpus' }))
    return
  }
  expect(measure()).toContain(`${corpus.files.length} written back byte for byte`)
  expect(said).toHaveLength(3)
})
