/** Scripts of HTTP requests to etcd 2.3.8, each played against a fresh kvd. */
import { isRecorded, type RecordedCase, textIn } from '../recorded-cases.ts'
import { playHttpScript } from '../replay/http-script.ts'
import { startMember } from '../replay/member.ts'
import type { VectorFolder, VectorSet } from '../vector-set.ts'

/** What only a cluster of several members can answer. */
const needMembers: ReadonlySet<string> = new Set(['zz-quorum-lost'])

/** Every JSON file that is an object with `steps`, which hold requests. */
export const etcdV2: VectorSet = {
  name: 'etcd-v2',
  cases: (folder, programs) =>
    scripts(folder)
      .filter(({ script }) => !needsMembers(script))
      .map(({ file, script }) => ({
        name: `${file}: ${textIn(script, 'name')}`,
        run: async () => {
          await using member = await startMember(programs.kvd)
          return await playHttpScript(script, [member.clientUrl])
        },
      })),
  notes: (folder) =>
    scripts(folder)
      .filter(({ script }) => needsMembers(script))
      .map(({ file }) => `${file} needs several members, which a store in one process does not have`),
}

const needsMembers = (script: RecordedCase): boolean =>
  Number(script['cluster'] ?? 1) > 1 || needMembers.has(textIn(script, 'name'))

const scripts = (folder: VectorFolder): readonly { readonly file: string; readonly script: RecordedCase }[] =>
  folder.files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const script = folder.readJson(file)
      return isRecorded(script) && Array.isArray(script['steps']) ? [{ file, script }] : []
    })
