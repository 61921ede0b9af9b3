/** All scenarios that ship. */
import type { Scenario } from '../kit.ts';
import { adviceScenarios } from './advice.ts';
import { allocationScenarios } from './allocations.ts';
import { candidateScenarios } from './candidates.ts';
import { descriptorScenarios } from './descriptors.ts';
import { faultScenarios } from './faults.ts';
import { fileScenarios } from './files.ts';
import { forkScenarios } from './forks.ts';
import { futexScenarios } from './futexes.ts';
import { groupScenarios } from './groups.ts';
import { heapAndMoveScenarios } from './heaps-and-moves.ts';
import { lockScenarios } from './locks.ts';
import { machineScenarios } from './machine.ts';
import { lookScenarios } from './looks.ts';
import { lazyScenarios, underOtherPolicies } from './flush-policies.ts';
import { objectScenarios } from './objects.ts';
import { processScenarios } from './processes.ts';
import { nameScenarios } from './names.ts';
import { rangeScenarios } from './ranges.ts';
import { rollbackScenarios } from './rollbacks.ts';
import { pinScenarios } from './pins.ts';
import { realBugScenarios } from './real-bugs.ts';
import { remoteScenarios } from './remote.ts';
import { sealScenarios } from './seals.ts';
import { recallScenarios } from './recalls.ts';
import { signalScenarios } from './signals.ts';
import { startScenarios } from './starts.ts';
import { swapScenarios } from './swaps.ts';
import { tlbScenarios } from './tlbs.ts';
import { untouchedScenarios } from './untouched.ts';
import { userModeScenarios } from './user-modes.ts';

const PLAIN: readonly Scenario[] = [
  ...faultScenarios,
  ...candidateScenarios,
  ...adviceScenarios,
  ...rangeScenarios,
  ...untouchedScenarios,
  ...objectScenarios,
  ...fileScenarios,
  ...sealScenarios,
  ...remoteScenarios,
  ...pinScenarios,
  ...realBugScenarios,
  ...tlbScenarios,
  ...userModeScenarios,
  ...lockScenarios,
  ...machineScenarios,
  ...recallScenarios,
  ...processScenarios,
  ...signalScenarios,
  ...startScenarios,
  ...allocationScenarios,
  ...lookScenarios,
  ...forkScenarios,
  ...futexScenarios,
  ...descriptorScenarios,
  ...nameScenarios,
  ...groupScenarios,
  ...swapScenarios,
  ...rollbackScenarios,
  ...heapAndMoveScenarios,
];

export const SCENARIOS: readonly Scenario[] = [
  ...PLAIN,
  ...lazyScenarios,
  ...underOtherPolicies(PLAIN),
];
