/** Verdicts and explanations in words. */
import type { Verdict } from './able-to-run.ts'
import type { Explanation, PeerState } from './explanation.ts'
import type { MissingMetadata } from './metadata.ts'
import type { ClusterState } from './model.ts'
import { type RuleLine, ruleLineText } from './rule-line.ts'

/** One verdict as half a sentence: `metadata disk=ssd is required, the machine has disk=hdd`. */
export function verdictText(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'fits':
      return 'fits'
    case 'machine-gone':
      return 'the machine is not alive'
    case 'cordoned':
      return 'the machine is cordoned, it takes no further units'
    case 'machine-id':
      return verdict.required === ''
        ? 'MachineID is empty, which no machine meets'
        : `MachineID asks for ${verdict.required}`
    case 'metadata':
      return verdict.missing.map(metadataText).join('; ')
    case 'peer-missing':
      return `${verdict.peer} must be on the same machine, and is not here`
    case 'conflict':
      return verdict.declaredBy === 'this-unit'
        ? `its Conflicts match ${verdict.unit}, which is here`
        : `the Conflicts of ${verdict.unit}, which is here, match it`
    case 'replace':
      return verdict.direction === 'replaces'
        ? `fits, but it replaces ${verdict.unit}, which is here`
        : `fits, but ${verdict.unit}, which is here, replaces it`
    default:
      return verdict satisfies never
  }
}

function metadataText({ key, allowed, found }: MissingMetadata): string {
  const wanted = allowed.map((value) => `${key}=${value}`).join(' or ')
  return `metadata ${wanted} is required, the machine has ${found === undefined ? `no ${key}` : `${key}=${found}`}`
}

/** What becomes of the unit, then why, one line each. */
export function explanationLines(
  facts: Omit<Explanation, 'lines'>,
  { machines, units }: ClusterState,
): readonly string[] {
  const { situation } = facts
  const head = headLine(facts, machines.length)
  if (situation.kind === 'unknown')
    return [
      head,
      ...similarNames(
        facts.unit,
        units.map(({ name }) => name),
      ),
    ]
  if (situation.kind === 'not-wanted') return [head]
  const here = 'machine' in situation ? situation.machine : undefined
  const verdicts = facts.machines
    .filter(({ machine }) => machine !== here)
    .map(({ machine, verdict, line }) => `${machine}: ${verdictText(verdict)}${lineText(line)}`)
  if (situation.kind === 'placed' || situation.kind === 'about-to-move') return [head, ...verdicts]
  return [head, ...verdicts, ...facts.peers.map(peerLine), ...cycleLine(facts.cycle)]
}

const lineText = (line: RuleLine | undefined): string => (line === undefined ? '' : ` (${ruleLineText(line)})`)

function headLine(
  { unit, situation, targetState, machines }: Omit<Explanation, 'lines'>,
  machineCount: number,
): string {
  const count = (some: number): string => `${some} of ${machineCount} machine${machineCount === 1 ? '' : 's'}`
  switch (situation.kind) {
    case 'unknown':
      return `${unit}: there is no such unit`
    case 'not-wanted':
      return situation.reason === 'inactive'
        ? `${unit}: should not run, its target state is inactive`
        : `${unit}: should not run, the registry holds no target state that is known`
    case 'global':
      return `${unit}: global, runs on ${count(situation.machines.length)}`
    case 'placed':
      return situation.isConfirmed
        ? `${unit}: on ${situation.machine}, ${targetState ?? 'scheduled'}`
        : `${unit}: stays on ${situation.machine}, which is not heard of, until its loss is certain`
    case 'about-to-move':
      return situation.from === undefined
        ? `${unit}: will be placed on ${situation.machine}`
        : `${unit}: will move from ${situation.from} to ${situation.machine}: ${situation.reason}`
    case 'waiting': {
      const { from, reason, lost } = situation
      const goesOn = lost === undefined ? '' : `; it goes on if ${lost} returns, which is gone`
      const left = from === undefined ? goesOn : `; it leaves ${from}: ${reason ?? ''}`
      if (machineCount === 0) return `${unit}: waits, there is no machine${left}`
      const able = machines.filter(({ verdict }) => verdict.kind === 'fits' || verdict.kind === 'replace').length
      // Only under a policy that plans one round at a time.
      const next = able > 0 ? '; the next round places it' : ''
      return `${unit}: waits, ${count(able)} can run it${next}${left}`
    }
    default:
      return situation satisfies never
  }
}

/** Only peers that explain why the unit waits. */
function peerLine(state: PeerState): string {
  const { peer } = state
  switch (state.kind) {
    case 'missing':
      return `MachineOf ${peer}: there is no such unit`
    case 'inactive':
      return `MachineOf ${peer}: should not run, so nothing can run beside it`
    case 'waiting':
      return `MachineOf ${peer}: waits for a machine itself`
    case 'placed':
      return `MachineOf ${peer}: is on ${state.machine}`
    case 'global':
      return `MachineOf ${peer}: is global`
    default:
      return state satisfies never
  }
}

function cycleLine(cycle: readonly string[] | undefined): readonly string[] {
  const [first] = cycle ?? []
  if (cycle === undefined || first === undefined) return []
  return [
    `MachineOf goes round in a circle, so none can be first: ${[...cycle, first].join(' -> ')}; take one of them out`,
  ]
}

/** Names that differ in little: another suffix, instance or case. */
function similarNames(name: string, names: readonly string[]): readonly string[] {
  const stem = (text: string): string => text.toLowerCase().split(/[@.]/)[0] ?? ''
  const similar = names.filter((each) => stem(each) === stem(name)).slice(0, 5)
  return similar.length === 0 ? [] : [`there are ${similar.join(', ')}`]
}
