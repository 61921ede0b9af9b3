/** Runs before each test file that uses dist/, which is left as it was when it cannot be built. */
import { inject } from 'vitest';

if (!inject('isBuilt')) throw new Error('dist/ is not up to date: its build has failed, see above');
