import type { SpecifierContext } from '../src/index.ts'

/** A machine for tests whose answers do not depend on it. */
export const machine: SpecifierContext = {
  scope: 'system',
  architecture: 'x86-64',
  machineId: '0123456789abcdef0123456789abcdef',
  bootId: 'fedcba9876543210fedcba9876543210',
  hostName: 'one.example.org',
  kernelRelease: '6.1.0',
  osRelease: { ID: 'debian' },
  user: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  home: '/root',
  shell: '/bin/sh',
  runtimeDir: '/run',
  stateDir: '/var/lib',
  cacheDir: '/var/cache',
  logsDir: '/var/log',
  configDir: '/etc',
  tmpDir: '/tmp',
  varTmpDir: '/var/tmp',
  credentialsDir: '/run/credentials',
}
