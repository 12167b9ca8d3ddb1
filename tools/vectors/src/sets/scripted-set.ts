/** Sets whose files are scripts, each played against a store that nobody has used. */
import { isRecorded, type RecordedCase, textIn } from '../recorded-cases.ts'
import { type Member, startMember } from '../replay/member.ts'
import type { Difference, VectorFolder, VectorSet } from '../vector-set.ts'

type Programs = Parameters<VectorSet['cases']>[1]
type Script = { readonly file: string; readonly script: RecordedCase }

/**
 * Every JSON file that is an object with `steps`. Scripts that only a cluster of several members can play are named
 * among the notes.
 */
export const scriptedSet = (
  name: string,
  play: (script: RecordedCase, programs: Programs, member: Member) => Promise<readonly Difference[]>,
): VectorSet => ({
  name,
  cases: (folder, programs) =>
    scriptsIn(folder)
      .filter(({ script }) => !needsMembers(script))
      .map(({ file, script }) => ({
        name: `${file}: ${textIn(script, 'name')}`,
        run: async () => {
          await using member = await startMember(programs.kvd)
          return await play(script, programs, member)
        },
      })),
  notes: (folder) =>
    scriptsIn(folder)
      .filter(({ script }) => needsMembers(script))
      .map(({ file }) => `${file} needs several members, which a store in one process does not have`),
})

/** `destructive`: a second member that never starts takes the quorum away. */
const needsMembers = (script: RecordedCase): boolean =>
  Number(script['cluster'] ?? 1) > 1 || Number(script['members'] ?? 1) > 1 || script['destructive'] === true

const scriptsIn = (folder: VectorFolder): readonly Script[] =>
  folder.files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const script = folder.readJson(file)
      return isRecorded(script) && Array.isArray(script['steps']) ? [{ file, script }] : []
    })
