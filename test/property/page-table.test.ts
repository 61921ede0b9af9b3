/**
 * Goal: the page table equals its model under each locking protocol. The default protocol has its
 * place among the unit tests.
 */
import { it } from 'vitest';

import { DEFAULT_PROTOCOL, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { comparePageTable } from '../support/page-table-model.ts';

const others = PROTOCOL_NAMES.filter((name) => name !== DEFAULT_PROTOCOL);

it.each(others)('equals the model under %s, also where memory runs out', comparePageTable);
