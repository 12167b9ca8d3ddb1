/** What the service tells about itself: one function per event, log line and figures together. */
import { type Clock, describeError, isClusterError, type Logger, type Meter } from '@cluster/prelude'
import type { ClusterTask, MachineTask } from '@cluster/scheduler'

export type FleetEvents = {
  readonly registered: (fields: { readonly machine: string; readonly how: 'new' | 'resumed' | 'again' }) => void
  readonly registrationRefused: (fields: { readonly machine: string; readonly reason: string }) => void
  readonly beatFailed: (error: unknown) => void
  readonly storeLostData: (fields: { readonly revision: number; readonly before: number }) => void
  readonly leads: (fields: { readonly machine: string }) => void
  readonly leadsNoMore: (fields: { readonly machine: string }) => void
  readonly engineVersionTooNew: (fields: { readonly found: number; readonly ours: number }) => void
  readonly engineRound: (fields: { readonly seconds: number; readonly tasks: number }) => void
  readonly engineFailed: (error: unknown) => void
  readonly machineAway: (fields: { readonly machine: string; readonly units: number }) => void
  /** The brake holds units back; said once for the same machines, the figure always. */
  readonly brakeHolds: (
    fields: { readonly text: string; readonly machines: readonly string[]; readonly units: number },
    isNews: boolean,
  ) => void
  readonly brakeEnds: (fields: { readonly how: string }) => void
  readonly engineTask: (task: ClusterTask) => void
  readonly engineTaskBounced: (task: ClusterTask) => void
  readonly agentTask: (task: MachineTask) => void
  readonly agentTaskFailed: (task: MachineTask, error: unknown, retryInMs: number) => void
  readonly agentFailed: (error: unknown) => void
  readonly publishFailed: (error: unknown, fields: { readonly unit: string }) => void
  readonly textRemoved: (fields: { readonly hash: string }) => void
  readonly leftoversRemoved: (fields: { readonly unit: string }) => void
  readonly apiFailed: (error: unknown, fields: { readonly method: string; readonly path: string }) => void
}

const errorFields = (error: unknown) => ({
  error: describeError(error).join(': '),
  ...(isClusterError(error) ? { code: error.code } : {}),
})

/** Metric names that fleet 1.0 has are kept, so that dashboards go on working; ours end in their unit. */
export function createEvents(log: Logger, meter: Meter, clock: Clock): FleetEvents {
  const leaderStart = meter.gauge('fleet_engine_leader_start_time', 'When this machine became leader, 0 if it is not')
  const tasks = meter.counter('fleet_engine_task_count_total', 'Tasks of the engine', ['type'])
  const taskFailures = meter.counter('fleet_engine_task_failure_count_total', 'Tasks that bounced', ['type'])
  const rounds = meter.counter('fleet_engine_reconcile_count_total', 'Rounds of the engine')
  const roundSeconds = meter.histogram('fleet_engine_reconcile_duration_second', 'Duration of a round of the engine')
  const roundFailures = meter.counter('fleet_engine_reconcile_failure_count_total', 'Failures by kind', ['type'])
  const brakeUnits = meter.gauge('fleet_engine_brake_held_units', 'Units that the brake keeps from moving')
  const agentTasks = meter.counter('fleet_agent_task_count_total', 'Tasks of the agent', ['type'])
  const agentFailures = meter.counter('fleet_agent_task_failure_count_total', 'Tasks that failed', ['type'])
  const beats = meter.counter('fleet_beat_failure_count_total', 'Heartbeats that failed')

  return {
    registered: (fields) => log.info('machine registered', fields),
    registrationRefused: (fields) => log.error('machine not registered', fields),
    beatFailed(error) {
      beats.add()
      log.warn('the store did not take a heartbeat', errorFields(error))
    },
    storeLostData(fields) {
      log.error('the store has lost its data: this machine keeps its units as they are until it knows units again', {
        ...fields,
        hint: 'restore the store from a backup, or submit the units again',
      })
    },
    leads(fields) {
      leaderStart.set(Math.floor(clock.nowMs() / 1000))
      log.info('engine leads', fields)
    },
    leadsNoMore(fields) {
      leaderStart.set(0)
      brakeUnits.set(0)
      log.info('engine leads no more', fields)
    },
    engineVersionTooNew: (fields) => log.warn('the registry belongs to a newer engine, this one takes no part', fields),
    engineRound({ seconds, tasks: count }) {
      rounds.add()
      roundSeconds.observe(seconds)
      log.debug('engine round', { seconds, tasks: count })
    },
    engineFailed(error) {
      roundFailures.add({ type: 'run' })
      log.warn('engine round failed', errorFields(error))
    },
    machineAway(fields) {
      roundFailures.add({ type: 'machine_away' })
      log.warn('a machine is lost, its units move', fields)
    },
    brakeHolds({ text, machines, units }, isNews) {
      brakeUnits.set(units)
      if (!isNews) return
      log.error(`the brake holds: ${text}`, {
        machines,
        units,
        hint: 'bring the machines back; or, if they are lost, run: fleetctl brake release',
      })
    },
    brakeEnds(fields) {
      brakeUnits.set(0)
      log.info('the brake holds no longer', fields)
    },
    engineTask(task) {
      tasks.add({ type: task.kind })
      const { unit, machine, reason } = task
      log.info(task.kind === 'schedule' ? 'unit placed' : 'unit taken from its machine', { unit, machine, reason })
    },
    engineTaskBounced(task) {
      taskFailures.add({ type: task.kind })
      roundFailures.add({ type: 'schedule' })
      log.info('somebody else changed the unit, deciding anew', { unit: task.unit, task: task.kind })
    },
    agentTask(task) {
      agentTasks.add({ type: task.kind })
      if (task.kind !== 'reload') log.info(`unit ${done[task.kind]}`, { unit: task.unit, reason: task.reason })
    },
    agentTaskFailed(task, error, retryInMs) {
      agentFailures.add({ type: task.kind })
      const unit = task.kind === 'reload' ? {} : { unit: task.unit }
      log.error('task failed', { task: task.kind, ...unit, retryInMs, ...errorFields(error) })
    },
    agentFailed: (error) => log.warn('agent round failed', errorFields(error)),
    publishFailed: (error, fields) => log.warn('state not published', { ...fields, ...errorFields(error) }),
    textRemoved: (fields) => log.debug('text of no unit removed', fields),
    leftoversRemoved: (fields) => log.debug('keys of no unit removed', fields),
    apiFailed: (error, fields) => log.warn('request failed', { ...fields, ...errorFields(error) }),
  }
}

const done = { load: 'loaded', unload: 'unloaded', start: 'started', stop: 'stopped' } as const
