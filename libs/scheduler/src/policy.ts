/**
 * Where fleet 1.0 decides badly, a policy says which way to decide. One field per trap of spec/fleet.md §12 that
 * concerns engine or agent decisions. Not here: visiting units in name order (trap 38, one of fleet's own possible
 * outcomes) and load as a count of units (trap 39, kept) are the same under every policy.
 */

export type Policy = {
  /**
   * Trap 1: the agent's own machine has no record in the registry. `keep-units`: nothing is done until it is
   * registered again. `unload-units`: no scheduled unit belongs here, all of them are unloaded.
   */
  readonly unknownOwnMachine: 'keep-units' | 'unload-units'
  /**
   * Trap 5: units on a machine of `ClusterState.unconfirmedMachines`. `keep-units`: they keep their place until the
   * loss is confirmed. `move-units`: a machine that is not listed is gone.
   */
  readonly unconfirmedLoss: 'keep-units' | 'move-units'
  /**
   * Trap 5: how many presence TTLs a leader waits after taking the lease, and after the store was away, before a
   * missing machine counts as lost. Planners have no clock; the service that observes the cluster reads this.
   */
  readonly lossGraceTtls: number
  /**
   * The place of a unit whose machine is lost while no other fits it. `kept-until-another-fits`: it did not move, so it
   * goes on undisturbed when the machine returns. `given-up`: its target is removed (spec/fleet.md §5.4), and a machine
   * that returns stops the unit before it is placed there again.
   */
  readonly lostPlaces: 'kept-until-another-fits' | 'given-up'
  /** Trap 6: a target state that is none of the three words. `wanted`: anything but `inactive` is scheduled. */
  readonly unknownTargetState: 'inactive' | 'wanted'
  /** Trap 7: no target state at all. `wanted`: the engine schedules the unit, the agent loads it and is then at a loss. */
  readonly missingTargetState: 'inactive' | 'wanted'
  /** Trap 8: whether a global unit that should not run counts as load and as conflict, in engine and agent. */
  readonly inactiveGlobals: 'ignored' | 'counted'
  /**
   * Trap 9: two units in a Replaces relation on one machine. `replaced-unit-if-it-fits`: the replaced unit moves, with
   * the units that follow it, to a machine that fits; without one it stays. `whichever-is-found`: the other one of
   * the unit visited first is put on the least loaded machine unchecked, or unscheduled if there is no other machine.
   */
  readonly replacement: 'replaced-unit-if-it-fits' | 'whichever-is-found'
  /**
   * Trap 10: who stays when units on one machine conflict. `scheduled-first`: for engine and agent alike, scheduled
   * units before global ones, then the smaller name; inactive units do not count. `each-its-own`: the engine
   * unschedules whichever it visits first, the agent refuses the larger name, global or not, inactive ones count.
   */
  readonly conflicts: 'scheduled-first' | 'each-its-own'
  /** Trap 11: what remains of a round when the task of one unit failed. See `tasksAfterFailure`. */
  readonly failedTask: 'others-go-on' | 'ends-the-round'
  /** Traps 40 and 9: whether a plan goes on until nothing is left to do, or is one pass of fleet's engine. */
  readonly rounds: 'until-settled' | 'one'
  /** Trap 58: target keys of global units and of units that do not exist. */
  readonly staleTargets: 'cleared' | 'kept'
}

/** Decides exactly as fleet 1.0 was recorded to decide, visiting in name order. */
export const fleetPolicy: Policy = {
  unknownOwnMachine: 'unload-units',
  unconfirmedLoss: 'move-units',
  lossGraceTtls: 0,
  lostPlaces: 'given-up',
  unknownTargetState: 'wanted',
  missingTargetState: 'wanted',
  inactiveGlobals: 'counted',
  replacement: 'whichever-is-found',
  conflicts: 'each-its-own',
  failedTask: 'ends-the-round',
  rounds: 'one',
  staleTargets: 'kept',
}

/** What fleetd uses: every trap repaired. A plan applied to its state leaves nothing to plan. */
export const defaultPolicy: Policy = {
  unknownOwnMachine: 'keep-units',
  unconfirmedLoss: 'keep-units',
  lossGraceTtls: 1,
  lostPlaces: 'kept-until-another-fits',
  unknownTargetState: 'inactive',
  missingTargetState: 'inactive',
  inactiveGlobals: 'ignored',
  replacement: 'replaced-unit-if-it-fits',
  conflicts: 'scheduled-first',
  failedTask: 'others-go-on',
  rounds: 'until-settled',
  staleTargets: 'cleared',
}
