/** All scenarios that ship. */
import type { Scenario } from '../kit.ts';
import { faultScenarios } from './faults.ts';
import { lockScenarios } from './locks.ts';
import { machineScenarios } from './machine.ts';
import { lazyScenarios, underOtherPolicies } from './flush-policies.ts';
import { objectScenarios } from './objects.ts';
import { rangeScenarios } from './ranges.ts';
import { tlbScenarios } from './tlbs.ts';

const PLAIN: readonly Scenario[] = [
  ...faultScenarios,
  ...rangeScenarios,
  ...objectScenarios,
  ...tlbScenarios,
  ...lockScenarios,
  ...machineScenarios,
];

export const SCENARIOS: readonly Scenario[] = [
  ...PLAIN,
  ...lazyScenarios,
  ...underOtherPolicies(PLAIN),
];
