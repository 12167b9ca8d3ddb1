import type { SpecifierContext } from '../src/index.ts'
import { anyMachine } from '../src/lint/linted-unit.ts'

const { fragmentPath: _, ...directories } = anyMachine

/** A machine for tests whose answers do not depend on it. */
export const machine: SpecifierContext = {
  ...directories,
  machineId: '0123456789abcdef0123456789abcdef',
  bootId: 'fedcba9876543210fedcba9876543210',
  hostName: 'one.example.org',
  osRelease: { ID: 'debian' },
}
