/** Goal: swap keeps every page under each protocol. The default one's place is a unit test. */
import { it } from 'vitest';

import { DEFAULT_PROTOCOL, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { compareSwap } from '../support/swap-model.ts';

const others = PROTOCOL_NAMES.filter((name) => name !== DEFAULT_PROTOCOL);

it.each(others)('keeps every page under %s', compareSwap);
