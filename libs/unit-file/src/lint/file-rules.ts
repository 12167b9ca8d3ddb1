/** Names, modes and drop-ins: UF106 to UF110. Rules: spec/unit-files.md §5, §7. */
import { parseUnitName, unitTypes } from '../unit-name.ts'
import { systemSearchPath } from '../unit-search-path.ts'
import type { Complaint, LintFix } from './finding.ts'
import { type LintedFile, type LintedUnit, settingOf } from './linted-unit.ts'
import { insertAbove, keyRange, startOfFile } from './place.ts'
import type { LintedSet, LintRule } from './rule.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })

function* names({ role, fileName, unitName }: LintedFile): Iterable<Complaint> {
  if (role === 'unit') {
    const name = parseUnitName(unitName)
    if (name.ok) return
    yield {
      id: 'UF106',
      range: startOfFile,
      message: name.error.message,
      remedy: 'rename the file; systemd-escape --mangle writes a name as systemd takes it',
    }
    return
  }
  // `service.d` is for all services, `a-.service.d` for all whose names begin so
  const isType = unitTypes.some((type) => type === unitName)
  if (!isType && !parseUnitName(unitName).ok) {
    yield {
      id: 'UF108',
      range: startOfFile,
      message: `“${unitName}.d” is the directory of no unit: nothing reads ${fileName}`,
      remedy: 'name it after a unit and its type, such as web.service.d, or service.d for all services',
    }
  } else if (!fileName.endsWith('.conf') || fileName.startsWith('.')) {
    yield {
      id: 'UF108',
      range: startOfFile,
      message: `drop-ins end in .conf and are not hidden: nothing reads ${fileName}`,
      remedy: `rename it to ${fileName.replace(/^\.+/, '').replace(/\.[^.]*$/, '')}.conf`,
    }
  }
}

function* modes({ mode, path }: LintedFile): Iterable<Complaint> {
  if (mode === undefined) return
  const bits = mode & 0o777
  const problems = [
    ...(bits & 0o111 ? ['executable'] : []),
    ...(bits & 0o002 ? ['writable by everyone'] : []),
    ...(bits & 0o400 ? [] : ['not readable by its owner']),
  ]
  if (problems.length === 0) return
  yield {
    id: 'UF107',
    range: startOfFile,
    message: `the file has mode 0${bits.toString(8).padStart(3, '0')}: it is ${problems.join(' and ')}`,
    remedy: `chmod 0644 ${path}`,
  }
}

function* secondCommands(unit: LintedUnit): Iterable<Complaint> {
  if (settingOf(unit, 'Service', 'Type') === 'oneshot') return
  const hasCommand = (file: LintedFile | undefined): boolean =>
    file?.assignments.some(({ key, value }) => key === 'ExecStart' && value !== '') === true
  for (const dropIn of unit.dropIns) {
    const commands = dropIn.assignments.filter(({ section, key }) => section === 'Service' && key === 'ExecStart')
    const [first] = commands
    if (first === undefined || first.value === '') continue
    if (unit.main !== undefined && !hasCommand(unit.main)) continue
    yield {
      id: 'UF109',
      range: keyRange(first.block),
      path: dropIn.path,
      message: 'ExecStart= of a drop-in comes on top of that of the unit: with two, the service is refused',
      remedy: 'write ExecStart= without a value above it',
      fix: fix('reset it first', insertAbove(first.block, 'ExecStart=')),
    }
  }
}

/** Where a directory is in the search path; higher ones have lower numbers. Unknown directories are not compared. */
function rankOf(path: string): number | undefined {
  const directory = path.replace(/\/?[^/]+\.d\/[^/]+$/, '')
  const rank = systemSearchPath.directories.findIndex(
    (known) => directory === known || directory.endsWith(known) || known.endsWith(`/${directory}`),
  )
  return rank === -1 ? undefined : rank
}

function* hiddenDropIns({ files }: LintedSet): Iterable<Complaint & { readonly path: string }> {
  const dropIns = files.filter(({ role }) => role === 'drop-in')
  for (const hidden of dropIns) {
    const rank = rankOf(hidden.path)
    const higher = dropIns.find((other) => {
      if (other === hidden || other.fileName !== hidden.fileName || other.unitName !== hidden.unitName) return false
      const otherRank = rankOf(other.path)
      return rank !== undefined && otherRank !== undefined && otherRank < rank
    })
    if (higher === undefined) continue
    yield {
      id: 'UF110',
      range: startOfFile,
      path: hidden.path,
      message: `${higher.path} has the same name and comes first: nothing reads this file`,
      remedy: 'give it another name or number, unless it is to be replaced',
    }
  }
}

/** What is said of files and their places. */
export const fileRules: readonly LintRule[] = [
  { kind: 'file', ids: ['UF106', 'UF108'], check: names },
  { kind: 'file', ids: ['UF107'], check: modes },
  { kind: 'unit', ids: ['UF109'], check: secondCommands },
  { kind: 'set', ids: ['UF110'], check: hiddenDropIns },
]
