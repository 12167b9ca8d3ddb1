/**
 * Keys, subnet files and kernel states of a small overlay as flannel v0.9.1 made them; each file is played with our
 * flanneld and our store in network namespaces. Needs root.
 */
import { overlayObstacles } from '@cluster/lab/overlay'
import { requireBuilt } from '../programs.ts'
import { isRecorded, objectsIn, type RecordedCase, textIn } from '../recorded-cases.ts'
import { type PlayedPhases, playOverlay } from '../replay/overlay-script.ts'
import type { VectorFolder, VectorSet } from '../vector-set.ts'

/** The release whose state must be equalled; the others matter for what differs between them. */
const release = 'v0.9.1'

/** How many files are played beside each other: four hosts each, on two processors. */
const playsAtOnce = 3

export const flannelLab: VectorSet = {
  name: 'flannel-lab',
  cases: (folder, programs) => {
    const wanted = scripts(folder).filter(({ script }) => script['release'] === release)
    const plays = new Map<number, Promise<PlayedPhases>>()
    // A phase starts from the end of the one before: a whole file is played once, when its first case is run. The files
    // behind it are played beside it, since each mostly waits.
    const played = (index: number): Promise<PlayedPhases> | undefined => {
      for (const [at, { script }] of wanted.entries()) {
        if (at < index || at >= index + playsAtOnce || plays.has(at)) continue
        const play = playWith(programs.flanneld, programs.kvd, script)
        // Whoever runs a case of it is told.
        play.catch(() => undefined)
        plays.set(at, play)
      }
      return plays.get(index)
    }
    return wanted.flatMap(({ file, script }, index) =>
      objectsIn(script, 'phases').map((phase) => {
        const name = textIn(phase, 'name')
        return {
          name: `${file}: ${name}`,
          run: async () =>
            (await played(index))?.get(name) ?? [
              { at: 'the phase', expected: 'is reached', actual: 'an earlier one failed' },
            ],
        }
      }),
    )
  },
  notes: (folder) => [
    ...scripts(folder)
      .filter(({ script }) => script['release'] !== release)
      .map(({ file }) => `${file} is of another release; its differences are in the specification`),
    'behaviour-etcd.json is not for a runner: its cases are tests of tools/lab/e2e-overlay',
  ],
  obstacles: overlayObstacles,
}

async function playWith(
  flanneld: readonly string[],
  kvd: readonly string[],
  script: RecordedCase,
): Promise<PlayedPhases> {
  requireBuilt(flanneld)
  requireBuilt(kvd)
  return playOverlay(script, { flanneld: flanneld.at(-1) ?? '', kvd: kvd.at(-1) ?? '' })
}

const scripts = (folder: VectorFolder): readonly { readonly file: string; readonly script: RecordedCase }[] =>
  folder.files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const script = folder.readJson(file)
      return isRecorded(script) && Array.isArray(script['phases']) ? [{ file, script }] : []
    })
