/** Command lines given to etcdctl 2.3.8 and what it printed; each file is played with our etcdctl and a fresh kvd. */
import { isRecorded, type RecordedCase, textIn } from '../recorded-cases.ts'
import { playCommandScript } from '../replay/command-script.ts'
import { startMember } from '../replay/member.ts'
import type { VectorFolder, VectorSet } from '../vector-set.ts'

/** What only a cluster of several members can answer. */
const needMembers: ReadonlySet<string> = new Set(['member-add-remove'])

/** Every JSON file that is an object with `steps`, which hold argument lists. */
export const etcdctlV2: VectorSet = {
  name: 'etcdctl-v2',
  cases: (folder, programs) =>
    scripts(folder)
      .filter(({ script }) => !needsMembers(script))
      .map(({ file, script }) => ({
        name: `${file}: ${textIn(script, 'name')}`,
        run: async () => {
          await using member = await startMember(programs.kvd)
          return await playCommandScript(script, programs.kvctl, member)
        },
      })),
  notes: (folder) =>
    scripts(folder)
      .filter(({ script }) => needsMembers(script))
      .map(({ file }) => `${file} needs several members, which a store in one process does not have`),
}

const needsMembers = (script: RecordedCase): boolean =>
  Number(script['members'] ?? 1) > 1 || needMembers.has(textIn(script, 'name'))

const scripts = (folder: VectorFolder): readonly { readonly file: string; readonly script: RecordedCase }[] =>
  folder.files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const script = folder.readJson(file)
      return isRecorded(script) && Array.isArray(script['steps']) ? [{ file, script }] : []
    })
