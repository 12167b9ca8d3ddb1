/**
 * fleet's own key layout: which key holds what. Source: spec/fleet.md §4. Cordons and the brake are ours, in trees that
 * the original does not look into. Nothing outside `registry/` knows a key.
 */
import type { Key } from '@cluster/kv'

/** Where fleet keeps everything unless told otherwise. */
export const defaultPrefix = '/_coreos.com/fleet'

/** What a key under the prefix stands for. */
export type KeyMeaning =
  | { readonly kind: 'unit-text'; readonly hash: string }
  | { readonly kind: 'job-object'; readonly unit: string }
  | { readonly kind: 'target-state'; readonly unit: string }
  | { readonly kind: 'target'; readonly unit: string }
  | { readonly kind: 'heartbeat'; readonly unit: string }
  | { readonly kind: 'unit-state'; readonly unit: string; readonly machine: string }
  /** One state for the unit, whoever wrote last; kept up for old readers, never read. */
  | { readonly kind: 'legacy-unit-state'; readonly unit: string }
  | { readonly kind: 'machine'; readonly machine: string }
  | { readonly kind: 'machine-metadata'; readonly machine: string; readonly name: string }
  | { readonly kind: 'engine-lease' }
  | { readonly kind: 'engine-version' }
  /** Stays when its machine goes: one that returns is still cordoned. */
  | { readonly kind: 'cordon'; readonly machine: string }
  /** What the brake holds back, written by the engine that leads. */
  | { readonly kind: 'brake' }
  | { readonly kind: 'brake-release' }
  /** Foreign, or of a fleet older than 0.6. Left alone. */
  | { readonly kind: 'unknown' }

export type Keyspace = {
  /** Without a trailing slash. */
  readonly prefix: Key
  readonly unitText: (hash: string) => Key
  /** Everything of a unit except its text and its states. */
  readonly job: (unit: string) => Key
  readonly jobObject: (unit: string) => Key
  readonly targetState: (unit: string) => Key
  readonly target: (unit: string) => Key
  readonly heartbeat: (unit: string) => Key
  /** The states of a unit on all machines. */
  readonly unitStates: (unit: string) => Key
  readonly unitState: (unit: string, machine: string) => Key
  readonly legacyUnitState: (unit: string) => Key
  readonly machine: (machine: string) => Key
  readonly machineMetadata: (machine: string, name: string) => Key
  readonly engineLease: Key
  readonly engineVersion: Key
  readonly cordon: (machine: string) => Key
  readonly brake: Key
  readonly brakeRelease: Key
  readonly parse: (key: Key) => KeyMeaning
}

/** The keys under a prefix. Leading, doubled and trailing slashes of the prefix do not matter. */
export function createKeyspace(prefixText: string = defaultPrefix): Keyspace {
  const prefix = `/${prefixText
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`
  const base = prefix === '/' ? '' : prefix
  const job = (unit: string): Key => `${base}/job/${unit}`
  return {
    prefix,
    unitText: (hash) => `${base}/unit/${hash}`,
    job,
    jobObject: (unit) => `${job(unit)}/object`,
    targetState: (unit) => `${job(unit)}/target-state`,
    target: (unit) => `${job(unit)}/target`,
    heartbeat: (unit) => `${job(unit)}/job-state`,
    unitStates: (unit) => `${base}/states/${unit}`,
    unitState: (unit, machine) => `${base}/states/${unit}/${machine}`,
    legacyUnitState: (unit) => `${base}/state/${unit}`,
    machine: (machine) => `${base}/machines/${machine}/object`,
    machineMetadata: (machine, name) => `${base}/machines/${machine}/metadata/${name}`,
    engineLease: `${base}/lease/engine-leader`,
    engineVersion: `${base}/engine/version`,
    cordon: (machine) => `${base}/cordon/${machine}`,
    brake: `${base}/brake/held`,
    brakeRelease: `${base}/brake/release`,
    parse: (key) => (key.startsWith(`${base}/`) ? meaningOf(key.slice(base.length + 1).split('/')) : unknown),
  }
}

const unknown: KeyMeaning = { kind: 'unknown' }

function meaningOf([top, first = '', second, third, ...rest]: readonly string[]): KeyMeaning {
  if (rest.length > 0) return unknown
  switch (top) {
    case 'job':
      return third === undefined ? jobMeaning(first, second) : unknown
    case 'unit':
      return second === undefined ? { kind: 'unit-text', hash: first } : unknown
    case 'states':
      return second !== undefined && third === undefined
        ? { kind: 'unit-state', unit: first, machine: second }
        : unknown
    case 'state':
      return second === undefined ? { kind: 'legacy-unit-state', unit: first } : unknown
    case 'machines':
      if (second === 'object' && third === undefined) return { kind: 'machine', machine: first }
      if (second === 'metadata' && third !== undefined) return { kind: 'machine-metadata', machine: first, name: third }
      return unknown
    case 'lease':
      return first === 'engine-leader' && second === undefined ? { kind: 'engine-lease' } : unknown
    case 'engine':
      return first === 'version' && second === undefined ? { kind: 'engine-version' } : unknown
    case 'cordon':
      return second === undefined ? { kind: 'cordon', machine: first } : unknown
    case 'brake':
      if (second !== undefined) return unknown
      if (first === 'held') return { kind: 'brake' }
      return first === 'release' ? { kind: 'brake-release' } : unknown
    default:
      return unknown
  }
}

function jobMeaning(unit: string, part: string | undefined): KeyMeaning {
  switch (part) {
    case 'object':
      return { kind: 'job-object', unit }
    case 'target-state':
      return { kind: 'target-state', unit }
    case 'target':
      return { kind: 'target', unit }
    case 'job-state':
      return { kind: 'heartbeat', unit }
    default:
      return unknown
  }
}
