/** All scenarios that ship. */
import type { Scenario } from '../kit.ts';
import { faultScenarios } from './faults.ts';

export const SCENARIOS: readonly Scenario[] = [...faultScenarios];
