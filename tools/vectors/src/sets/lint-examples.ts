/** Units of the lint catalogue, each with what `systemd-analyze verify` of systemd 252 printed: the finding is ours. */
import { catalogueEntry, type LintContext, type LintFile, lintUnits } from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { objectIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import { caseText } from '../recorded-units.ts'
import type { Difference, VectorCase, VectorFolder } from '../vector-set.ts'

/** Files whose cases have `finding`, `unit` and `verify`: each unit has its finding, with its severity. */
export const lintCases = (folder: VectorFolder): readonly VectorCase[] =>
  recordedFiles(folder, ['id', 'finding', 'unit', 'verify']).flatMap(({ file, cases }) =>
    cases.map((recorded) => ({
      name: `${file}: ${textIn(recorded, 'id')} ${textIn(recorded, 'finding')}`,
      run: () => lintDifferences(recorded),
    })),
  )

type Surroundings = { readonly mode?: number; readonly files?: readonly LintFile[]; readonly context?: LintContext }

const command = (name: string): string => `[Service]\nExecStart=/bin/${name}\n`

/** What a finding is about that is not in the file itself: other files, the mode, programs and units, an older systemd. */
const surroundings: Readonly<Record<string, Surroundings>> = {
  UF043: { context: { isExecutable: (path) => path !== '/usr/bin/no-such-program' } },
  UF089: { context: { unitExists: () => false } },
  UF107: { mode: 0o777 },
  UF108: { files: [{ path: 'foo.d/x.cfg', text: '[Service]\nNice=1\n' }] },
  UF109: { files: [{ path: 'x.service.d/a.conf', text: command('false') }] },
  UF110: {
    files: ['/usr/lib', '/etc'].map((root) => ({
      path: `${root}/systemd/system/x.service.d/10.conf`,
      text: '[Service]\nNice=1\n',
    })),
  },
  UF111: { context: { systemdVersion: 229 } },
}

function lintDifferences(recorded: RecordedCase): readonly Difference[] {
  const id = textIn(recorded, 'id')
  const { mode, files = [], context = {} } = surroundings[id] ?? {}
  const file = { path: textIn(recorded, 'unit'), text: caseText(recorded), ...(mode === undefined ? {} : { mode }) }
  const found = lintUnits([file, ...files], context).filter((finding) => finding.id === id)
  return [
    ...differences(recorded['severity'], found[0]?.severity, 'severity'),
    ...differences(verifyOf(objectIn(recorded, 'verify')), verifyOfCatalogue(id, recorded), 'verify'),
  ]
}

/** Whether the program said anything, and whether it failed. */
const verifyOf = ({ exit, output }: RecordedCase): string =>
  exit !== 0 ? 'fails' : Array.isArray(output) && output.length > 0 ? 'warns' : 'silent'

/** The catalogue’s word; where an example fails for another reason than its finding, what was recorded. */
function verifyOfCatalogue(id: string, recorded: RecordedCase): string | undefined {
  return failsOtherwise.has(id) ? verifyOf(objectIn(recorded, 'verify')) : catalogueEntry(id)?.verify
}

/** Units or programs were missing on the recording machine, which is another finding. */
const failsOtherwise: ReadonlySet<string> = new Set(['UF054', 'UF055', 'UF082'])
