/** Clusters for property tests: few machines and names, so that requirements meet each other. */
import type { ClusterChange, ClusterState, Machine, Placement, Policy, Unit } from '@cluster/scheduler'
import fc from 'fast-check'

const machineIds = ['a1000000000000000000000000000001', 'b2000000000000000000000000000002', 'c3', 'd4'] as const
const unitNames = ['a', 'b', 'c', 'd', 'g', 'h', 'web@1', 'web@2', 'web@3', 'db@1', 'db@2'].map(
  (name) => `${name}.service`,
)
const globs = [...unitNames, 'web@*.service', 'db@?.service', '[a-c].service', '*', 'nobody.service', '[']

const metadata = fc.dictionary(fc.constantFrom('disk', 'az'), fc.constantFrom('1', '2'), { maxKeys: 2 })

const machine = fc
  .record({
    id: fc.constantFrom(...machineIds),
    metadata,
    isCordoned: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
  })
  .map(({ isCordoned, ...rest }): Machine => (isCordoned ? { ...rest, isCordoned } : rest))

const requirements = fc
  .record({
    machineId: fc.option(fc.constantFrom(...machineIds, 'a1000000', ''), { nil: undefined, freq: 8 }),
    machineOf: rarely(fc.constantFrom(...unitNames, 'nobody.service')),
    conflicts: rarely(fc.constantFrom(...globs)),
    replaces: rarely(fc.constantFrom(...globs)),
    metadata: fc.option(fc.tuple(fc.constantFrom('disk', 'az'), fc.constantFrom('1', '2')), {
      nil: undefined,
      freq: 3,
    }),
    global: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  })
  .map(({ machineId, metadata: required, ...rest }) => ({
    ...(machineId === undefined ? {} : { machineId }),
    metadata: new Map(required === undefined ? [] : [[required[0], [required[1]]]]),
    ...rest,
  }))

const unit = fc
  .record({
    name: fc.constantFrom(...unitNames),
    targetState: fc.option(fc.constantFrom('launched', 'launched', 'launched', 'loaded', 'inactive'), {
      nil: undefined,
      freq: 10,
    }),
    hash: fc.constantFrom('11', '22'),
    requirements,
    machine: fc.option(fc.constantFrom(...machineIds, 'gone'), { nil: undefined, freq: 2 }),
  })
  .map(
    ({ targetState, machine: place, ...rest }): Unit => ({
      ...rest,
      ...(targetState === undefined ? {} : { targetState }),
      ...(place === undefined ? {} : { machine: place }),
    }),
  )

/** Up to four machines, eleven units with every kind of requirement, and leftovers. */
export const clusters: fc.Arbitrary<ClusterState> = fc.record({
  machines: fc.uniqueArray(machine, { selector: ({ id }: Machine) => id, maxLength: 4 }),
  units: fc.uniqueArray(unit, { selector: ({ name }: Unit) => name, maxLength: 11 }),
  orphanTargets: fc.uniqueArray(
    fc.record({
      unit: fc.constantFrom('left.service', 'over.service'),
      machine: fc.constantFrom(...machineIds, 'gone'),
    }),
    { selector: ({ unit: name }: Placement) => name, maxLength: 2 },
  ),
  unconfirmedMachines: fc.subarray(['gone', 'd4']),
})

/** Every combination of fields. */
export const policies: fc.Arbitrary<Policy> = fc.record({
  unknownOwnMachine: fc.constantFrom('keep-units', 'unload-units'),
  unconfirmedLoss: fc.constantFrom('keep-units', 'move-units'),
  lossGraceTtls: fc.constantFrom(0, 1),
  lostPlaces: fc.constantFrom('kept-until-another-fits', 'given-up'),
  unknownTargetState: fc.constantFrom('inactive', 'wanted'),
  missingTargetState: fc.constantFrom('inactive', 'wanted'),
  inactiveGlobals: fc.constantFrom('ignored', 'counted'),
  replacement: fc.constantFrom('replaced-unit-if-it-fits', 'whichever-is-found'),
  conflicts: fc.constantFrom('scheduled-first', 'each-its-own'),
  failedTask: fc.constantFrom('others-go-on', 'ends-the-round'),
  rounds: fc.constantFrom('until-settled', 'one'),
  staleTargets: fc.constantFrom('cleared', 'kept'),
})

/** One thing that happens to such a cluster; `edit` leaves the unit where it is. */
export type RandomEvent =
  | { readonly kind: 'change'; readonly change: ClusterChange }
  | { readonly kind: 'edit'; readonly unit: Unit }

export const events: fc.Arbitrary<RandomEvent> = fc.oneof(
  unit.map((each): RandomEvent => ({ kind: 'change', change: { kind: 'put-unit', unit: each } })),
  unit.map((each): RandomEvent => ({ kind: 'edit', unit: each })),
  fc.constantFrom(...unitNames).map(
    (name): RandomEvent => ({
      kind: 'change',
      change: { kind: 'remove-unit', unit: name },
    }),
  ),
  machine.map((each): RandomEvent => ({ kind: 'change', change: { kind: 'put-machine', machine: each } })),
  fc.tuple(fc.constantFrom(...machineIds, 'gone'), fc.boolean()).map(
    ([id, mayBeAlive]): RandomEvent => ({
      kind: 'change',
      change: { kind: 'remove-machine', machine: id, mayBeAlive },
    }),
  ),
)

function rarely<T>(value: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(value, { minLength: 1, maxLength: 2 }) },
  )
}
